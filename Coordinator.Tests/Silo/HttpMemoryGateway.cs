using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Google.Protobuf;

namespace Coordinator.Tests.Silo;

/// <summary>
/// A group that lives in memory: enough of one to see what the interfaces ask and how they show the answers. An
/// acquire of a lock that is held waits until it is abandoned, or is refused when it is a try.
/// </summary>
internal sealed class HttpMemoryGateway(int group = 0) : GroupGateway(group)
{
    private readonly SortedDictionary<string, ConfigEntry> _config = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, SessionInfo> _sessions = [];
    private readonly SortedDictionary<string, LockInfo> _locks = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, Action<SessionEnded>> _watchers = new();
    private readonly Lock _lock = new();
    private long _index = 100;
    private long _revision;

    /// <summary>Every command that got through to the group.</summary>
    public ConcurrentQueue<Command> Proposed { get; } = new();

    public ConcurrentQueue<Query> Asked { get; } = new();

    /// <summary>The groups of which a snapshot was asked for.</summary>
    public ConcurrentQueue<int> Saved { get; } = new();

    /// <summary>What such a snapshot is.</summary>
    public Func<SavedGroup>? Saving { get; set; }

    public ConcurrentQueue<ClusterRequest> Administered { get; } = new();

    /// <summary>Keep-alives that got through.</summary>
    public int KeptAlive { get; private set; }

    /// <summary>All that got through, of whatever kind.</summary>
    public int Reached => Proposed.Count + Asked.Count + Administered.Count + Saved.Count + KeptAlive;

    /// <summary>Answers in place of the memory.</summary>
    public Func<Command, CancellationToken, Task<CommandAnswer>>? Executing { get; set; }

    public Func<Query, Task<QueryAnswer>>? Querying { get; set; }

    /// <summary>The pages of a watch.</summary>
    public Func<Watch, CancellationToken, IAsyncEnumerable<WatchPage>>? Watching { get; set; }

    public ConcurrentQueue<Watch> Watched { get; } = new();

    public bool Ready { get; set; } = true;

    /// <summary>Faults that the status says are tolerated; null: it doesn't know.</summary>
    public int? Survives { get; set; }

    /// <summary>Released once for each acquire that was abandoned while it waited.</summary>
    public SemaphoreSlim Abandoned { get; } = new(0);

    /// <summary>Released once for each acquire that has begun to wait.</summary>
    public SemaphoreSlim Waiting { get; } = new(0);

    public int Watchers => _watchers.Count;

    public override bool IsReady => Ready;

    public override async Task<CommandAnswer> ExecuteAsync(Command command, CancellationToken abandoned)
    {
        Proposed.Enqueue(command);
        if (Executing is not null)
            return await Executing(command, abandoned);
        CommandResult result;
        lock (_lock)
        {
            _index++;
            result = command.SessionId != 0 && !_sessions.ContainsKey(command.SessionId)
                ? new CommandResult { Error = ErrorCode.SessionNotFound }
                : Apply(command);
        }
        if (result.Outcome == Outcome.Queued)
            await WaitAsync(abandoned);
        return new CommandAnswer { Position = Here(), Result = result, Message = result.Error == 0 ? "" : "It was refused." };
    }

    public override Task<QueryAnswer> QueryAsync(Query query, CancellationToken abandoned)
    {
        Asked.Enqueue(query);
        if (Querying is not null)
            return Querying(query);
        lock (_lock)
        {
            QueryAnswer answer = new() { Position = Here() };
            Ask(query, answer);
            return Task.FromResult(answer);
        }
    }

    public override Task<KeepAliveAnswer> KeepAliveAsync(long sessionId, CancellationToken abandoned)
    {
        lock (_lock)
        {
            KeptAlive++;
            return Task.FromResult(_sessions.TryGetValue(sessionId, out SessionInfo? session)
                ? new KeepAliveAnswer { SessionId = sessionId, TtlUs = session.TtlUs }
                : new KeepAliveAnswer { SessionId = sessionId, Error = ErrorCode.SessionNotFound });
        }
    }

    public override Task<ClusterAnswer> AdministerAsync(ClusterRequest request, CancellationToken abandoned)
    {
        Administered.Enqueue(request);
        var described = new GroupDescription
        {
            Group = Group,
            LeaderPeerId = 2,
            Term = 7,
            FailuresTolerated = 1,
            Peers = { new PeerDescription { PeerId = 4, Role = "learner", State = "unknown", Detail = "It does not run." } },
        };
        return Task.FromResult(new ClusterAnswer { PeerId = 4, Group = described });
    }

    public override Task<SavedGroup> SaveAsync(int asked, CancellationToken abandoned)
    {
        Saved.Enqueue(asked);
        return Task.FromResult(Saving is null ? new SavedGroup(ErrorCode.NoQuorum, "Nobody leads.", null) : Saving());
    }

    public override IAsyncEnumerable<WatchPage> WatchAsync(Watch watch, CancellationToken abandoned)
    {
        Watched.Enqueue(watch);
        return Watching is null ? base.WatchAsync(watch, abandoned) : Watching(watch, abandoned);
    }

    public override IDisposable OnSessionEnded(long sessionId, Action<SessionEnded> ended)
    {
        _watchers[sessionId] = ended;
        return new Registration(() => _watchers.TryRemove(sessionId, out _));
    }

    public override GroupStatus GetStatus() => new(Group, 2, 7, _index, _revision, _sessions.Count,
        [new PeerStatus(1, "follower", 3, 7, 100, 100, 100, 0, null), new PeerStatus(2, "suspended", 3, 7, 1, 1, 1, 0, "no disk")])
    {
        Durability = Survives is { } faults ? new Durability(faults, "it was said") : null,
    };

    public void EndSession(long sessionId, string reason)
    {
        if (_watchers.TryGetValue(sessionId, out Action<SessionEnded>? ended))
            ended(new SessionEnded { Group = Group, SessionId = sessionId, Reason = reason });
    }

    private CommandResult Apply(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.CreateSession => Create(command.CreateSession),
        Command.OperationOneofCase.EndSession => _sessions.Remove(command.SessionId)
            ? new CommandResult { Outcome = Outcome.Done }
            : new CommandResult { Error = ErrorCode.SessionNotFound },
        Command.OperationOneofCase.AcquireLock => Acquire(command.SessionId, command.AcquireLock),
        Command.OperationOneofCase.ReleaseLock => Release(command.SessionId, command.ReleaseLock),
        Command.OperationOneofCase.PutConfig => Put(command.PutConfig),
        Command.OperationOneofCase.DeleteConfig => _config.Remove(command.DeleteConfig.Key)
            ? new CommandResult { Outcome = Outcome.Done, Revision = ++_revision }
            : new CommandResult { Error = ErrorCode.KeyNotFound },
        _ => new CommandResult { Error = ErrorCode.Internal },
    };

    private CommandResult Create(CreateSession create)
    {
        _sessions[_index] = new SessionInfo
        {
            SessionId = _index,
            TtlUs = create.TtlUs,
            RemainingUs = create.TtlUs,
            Metadata = create.Metadata,
        };
        return new CommandResult { Outcome = Outcome.Done, SessionId = _index, TtlUs = create.TtlUs };
    }

    private CommandResult Acquire(long sessionId, AcquireLock acquire)
    {
        if (!_locks.TryGetValue(acquire.Name, out LockInfo? info))
        {
            LockHolder holder = new() { SessionId = sessionId, Token = _index, HeldUs = 1_500_000, Label = acquire.Label };
            _locks[acquire.Name] = new LockInfo { Name = acquire.Name, Holders = { holder } };
            return new CommandResult { Outcome = Outcome.Granted, Token = _index, Floor = _index };
        }
        if (acquire.WaitUs == 0)
            return new CommandResult { Outcome = Outcome.NotAcquired, Error = ErrorCode.LockNotAcquired };
        info.Waiters.Add(
            new LockWaiter { SessionId = sessionId, EntryIndex = _index, WaitedUs = 250_000, RemainingUs = acquire.WaitUs });
        return new CommandResult { Outcome = Outcome.Queued };
    }

    private CommandResult Release(long sessionId, ReleaseLock release)
    {
        if (!_locks.TryGetValue(release.Name, out LockInfo? info) || info.Holders[0].SessionId != sessionId
            || (release.Token != 0 && release.Token != info.Holders[0].Token))
            return new CommandResult { Error = ErrorCode.LockNotHeld };
        _locks.Remove(release.Name);
        return new CommandResult { Outcome = Outcome.Released };
    }

    private CommandResult Put(PutConfig put)
    {
        _config.TryGetValue(put.Key, out ConfigEntry? old);
        ConfigEntry entry = new()
        {
            Key = put.Key,
            Value = ByteString.CopyFrom(put.Value.Span),
            ContentType = put.ContentType,
            Version = (old?.Version ?? 0) + 1,
            CreateRevision = old?.CreateRevision ?? _revision + 1,
            ModifyRevision = ++_revision,
        };
        _config[put.Key] = entry;
        return new CommandResult { Outcome = Outcome.Done, Revision = _revision, Version = entry.Version };
    }

    private void Ask(Query query, QueryAnswer answer)
    {
        switch (query.QueryCase)
        {
            case Query.QueryOneofCase.GetConfig when _config.TryGetValue(query.GetConfig.Key, out ConfigEntry? entry):
                answer.Entries.Add(entry);
                break;
            case Query.QueryOneofCase.GetConfig:
                answer.Error = ErrorCode.KeyNotFound;
                break;
            case Query.QueryOneofCase.ListConfig:
                answer.Entries.AddRange(_config.Values
                    .Where(e => e.Key.StartsWith(query.ListConfig.Prefix, StringComparison.Ordinal)
                        && string.CompareOrdinal(e.Key, query.ListConfig.AfterKey) > 0)
                    .Take(query.ListConfig.Limit == 0 ? 1000 : query.ListConfig.Limit));
                answer.More = answer.Entries.Count == query.ListConfig.Limit;
                break;
            case Query.QueryOneofCase.GetLock when _locks.TryGetValue(query.GetLock.Name, out LockInfo? info):
                answer.Locks.Add(info);
                break;
            case Query.QueryOneofCase.GetLock:
                answer.Error = ErrorCode.LockNotFound;
                break;
            case Query.QueryOneofCase.ListLocks:
                answer.Locks.AddRange(_locks.Values);
                break;
            case Query.QueryOneofCase.GetSession when _sessions.TryGetValue(query.GetSession.SessionId, out SessionInfo? one):
                answer.Sessions.Add(one);
                break;
            case Query.QueryOneofCase.GetSession:
                answer.Error = ErrorCode.SessionNotFound;
                break;
            default:
                answer.Sessions.AddRange(_sessions.Values);
                break;
        }
    }

    private async Task WaitAsync(CancellationToken abandoned)
    {
        TaskCompletionSource never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Waiting.Release();
        try
        {
            await never.Task.WaitAsync(abandoned);
        }
        finally
        {
            Abandoned.Release();
        }
    }

    private Position Here() => new() { Group = Group, Term = 7, Index = _index, Revision = _revision };

    private sealed class Registration(Action dispose) : IDisposable
    {
        public void Dispose() => dispose();
    }
}
