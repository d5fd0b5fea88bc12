using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Client;

/// <summary>
/// What a cluster does, as far as a client can tell: sessions, request ids executed once, locks with a line, settings.
/// Time is the caller's. Invariant: a request id below the highest answeredBelow seen is never executed.
/// </summary>
internal sealed class FakeCluster(int group = 0)
{
    private readonly Dictionary<ByteString, long> _nonces = [];
    private readonly SortedDictionary<string, FakeLock> _locks = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, ConfigEntry> _entries = new(StringComparer.Ordinal);
    private long _revision;

    public SortedDictionary<long, FakeSession> Sessions { get; } = [];

    public long Index { get; private set; }

    public TimeSpan Now { get; private set; }

    /// <summary>Names held, with session and token.</summary>
    public IEnumerable<(string Name, long Session, long Token)> Held =>
        _locks.Where(pair => pair.Value.Holder != 0)
            .Select(pair => (pair.Key, pair.Value.Holder, pair.Value.Token));

    public int Waiting => _locks.Values.Sum(held => held.Line.Count);

    public int Executed { get; private set; }

    public void Advance(TimeSpan now)
    {
        Now = now;
        foreach (FakeSession session in Sessions.Values.Where(session => session.Deadline <= now).ToArray())
            End(session);
        foreach ((string name, FakeLock held) in _locks)
        {
            foreach (Waiter waiter in held.Line.Where(waiter => waiter.Until <= now).ToArray())
            {
                held.Line.Remove(waiter);
                waiter.Session.Finish(waiter.RequestId, Result(Outcome.NotAcquired, ErrorCode.LockNotAcquired));
            }
        }
    }

    public KeepAliveAnswer KeepAlive(long sessionId)
    {
        if (!Sessions.TryGetValue(sessionId, out FakeSession? session))
            return new KeepAliveAnswer { SessionId = sessionId, Error = ErrorCode.SessionNotFound };
        session.Deadline = Now + session.Ttl;
        return new KeepAliveAnswer { SessionId = sessionId, TtlUs = (long)session.Ttl.TotalMicroseconds };
    }

    /// <summary>Executes once; <paramref name="answer"/> is called now, or when a wait ends.</summary>
    public void Execute(Command command, Action<CommandAnswer> answer)
    {
        Index++;
        if (command.OperationCase == Command.OperationOneofCase.CreateSession)
        {
            answer(Answer(Create(command.CreateSession)));
            return;
        }
        if (!Sessions.TryGetValue(command.SessionId, out FakeSession? session))
        {
            answer(Answer(Result(Outcome.None, ErrorCode.SessionNotFound)));
            return;
        }
        session.Forget(command.AnsweredBelow);
        if (command.RequestId < session.AnsweredBelow)
        {
            answer(Answer(Result(Outcome.None, ErrorCode.RequestIdStale)));
            return;
        }
        session.Listen(command.RequestId, result => answer(Answer(result)));
        if (!session.Begin(command.RequestId, command))
            return;
        Executed++;
        if (Apply(session, command) is { } result)
            session.Finish(command.RequestId, result);
    }

    public QueryAnswer Read(Query query)
    {
        QueryAnswer answer = new() { Position = new Position { Group = group, Term = 1, Index = Index, Revision = _revision } };
        switch (query.QueryCase)
        {
            case Query.QueryOneofCase.GetConfig when _entries.TryGetValue(query.GetConfig.Key, out var entry):
                answer.Entries.Add(entry);
                break;
            case Query.QueryOneofCase.GetConfig:
                answer.Error = ErrorCode.KeyNotFound;
                break;
            case Query.QueryOneofCase.ListConfig:
                ListConfig list = query.ListConfig;
                ConfigEntry[] found = [.. _entries.Values.Where(entry =>
                    entry.Key.StartsWith(list.Prefix, StringComparison.Ordinal)
                    && string.CompareOrdinal(entry.Key, list.AfterKey) > 0)];
                answer.Entries.AddRange(found.Take(2));
                answer.More = found.Length > 2;
                break;
            case Query.QueryOneofCase.ListLocks:
                ListLocks locks = query.ListLocks;
                string[] names = [.. _locks.Where(pair => pair.Value.Holder != 0
                    && pair.Key.StartsWith(locks.Prefix, StringComparison.Ordinal)
                    && string.CompareOrdinal(pair.Key, locks.AfterName) > 0).Select(pair => pair.Key)];
                answer.Locks.AddRange(names.Take(2).Select(name => new LockInfo { Name = name }));
                answer.More = names.Length > 2;
                break;
            case Query.QueryOneofCase.ListSessions:
                answer.Sessions.AddRange(Sessions.Keys.Where(id => id > query.ListSessions.AfterSessionId)
                    .Select(id => new SessionInfo { SessionId = id }));
                break;
        }
        return answer;
    }

    public void End(FakeSession session)
    {
        Sessions.Remove(session.Id);
        _nonces.Remove(session.Nonce);
        foreach ((string name, FakeLock held) in _locks)
        {
            foreach (Waiter waiter in held.Line.Where(waiter => waiter.Session == session).ToArray())
                held.Line.Remove(waiter);
            if (held.Holder == session.Id)
                Free(held);
        }
    }

    private CommandResult Create(CreateSession create)
    {
        if (!_nonces.TryGetValue(create.Nonce, out long id))
        {
            id = Index;
            TimeSpan ttl = TimeSpan.FromMicroseconds(create.TtlUs);
            _nonces.Add(create.Nonce, id);
            Sessions.Add(id, new FakeSession(id, create.Nonce, ttl) { Deadline = Now + ttl });
        }
        return new CommandResult { Outcome = Outcome.Done, SessionId = id, TtlUs = create.TtlUs };
    }

    private CommandResult? Apply(FakeSession session, Command command)
    {
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.AcquireLock:
                return Acquire(session, command);
            case Command.OperationOneofCase.ReleaseLock:
                FakeLock held = Lock(command.ReleaseLock.Name);
                if (held.Holder != session.Id || held.Token != command.ReleaseLock.Token)
                    return Result(Outcome.None, ErrorCode.LockNotHeld);
                Free(held);
                return Result(Outcome.Released);
            case Command.OperationOneofCase.CancelWait:
                return Cancel(session, command.CancelWait);
            case Command.OperationOneofCase.EndSession:
                session.Finish(command.RequestId, Result(Outcome.Done));
                End(session);
                return null;
            case Command.OperationOneofCase.PutConfig:
                return Put(command.PutConfig);
            default:
                return _entries.Remove(command.DeleteConfig.Key)
                    ? new CommandResult { Outcome = Outcome.Done, Revision = ++_revision }
                    : Result(Outcome.None, ErrorCode.KeyNotFound);
        }
    }

    private CommandResult? Acquire(FakeSession session, Command command)
    {
        FakeLock held = Lock(command.AcquireLock.Name);
        if (held.Holder == session.Id || held.Line.Any(waiter => waiter.Session == session))
            return Result(Outcome.None, ErrorCode.LockAlreadyHeld);
        long wait = command.AcquireLock.WaitUs;
        if (held.Holder != 0 && wait == 0)
            return Result(Outcome.NotAcquired, ErrorCode.LockNotAcquired);
        TimeSpan until = wait < 0 ? TimeSpan.MaxValue : Now + TimeSpan.FromMicroseconds(wait);
        held.Line.AddLast(new Waiter(session, command.RequestId, until));
        if (held.Holder == 0)
            Free(held);
        return null;
    }

    private CommandResult Cancel(FakeSession session, CancelWait cancel)
    {
        foreach (FakeLock held in _locks.Values)
        {
            if (held.Line.FirstOrDefault(w => w.Session == session && w.RequestId == cancel.RequestId) is { } waiter)
            {
                held.Line.Remove(waiter);
                session.Finish(cancel.RequestId, Result(Outcome.Cancelled));
                return Result(Outcome.Cancelled);
            }
            if (held.Holder == session.Id && held.RequestId == cancel.RequestId)
            {
                CommandResult granted = new() { Outcome = Outcome.Granted, Token = held.Token, Floor = held.Token };
                if (!cancel.ReleaseIfGranted)
                    return granted;
                Free(held);
                return new CommandResult { Outcome = Outcome.Cancelled, Token = granted.Token };
            }
        }
        // A cancel that came before its acquire: that one must not be executed any more.
        return session.TryRefuse(cancel.RequestId, Result(Outcome.Cancelled))
            ? Result(Outcome.Cancelled)
            : Result(Outcome.None, ErrorCode.NotWaiting);
    }

    /// <summary>The next in line holds it, with the present index as its token.</summary>
    private void Free(FakeLock held)
    {
        (held.Holder, held.Token, held.RequestId) = (0, 0, 0);
        if (held.Line.First is not { } next)
            return;
        held.Line.RemoveFirst();
        // Two grants by one entry (a session's end) concern two names: tokens still grow for each.
        (held.Holder, held.Token, held.RequestId) = (next.Value.Session.Id, ++Index, next.Value.RequestId);
        next.Value.Session.Finish(held.RequestId,
            new CommandResult { Outcome = Outcome.Granted, Token = held.Token, Floor = held.Token });
    }

    private CommandResult Put(PutConfig put)
    {
        _revision++;
        _entries.TryGetValue(put.Key, out ConfigEntry? old);
        _entries[put.Key] = new ConfigEntry
        {
            Key = put.Key,
            Value = put.Value,
            ContentType = put.ContentType,
            Version = (old?.Version ?? 0) + 1,
            CreateRevision = old?.CreateRevision ?? _revision,
            ModifyRevision = _revision,
        };
        return new CommandResult { Outcome = Outcome.Done, Revision = _revision, Version = _entries[put.Key].Version };
    }

    private FakeLock Lock(string name)
    {
        if (!_locks.TryGetValue(name, out FakeLock? held))
            _locks.Add(name, held = new FakeLock());
        return held;
    }

    private CommandAnswer Answer(CommandResult result) => new()
    {
        Position = new Position { Group = group, Term = 1, Index = Index, Revision = _revision },
        Result = result,
    };

    private static CommandResult Result(Outcome outcome, ErrorCode error = ErrorCode.Ok) =>
        new() { Outcome = outcome, Error = error };

    private sealed class FakeLock
    {
        public long Holder { get; set; }

        public long Token { get; set; }

        public long RequestId { get; set; }

        public LinkedList<Waiter> Line { get; } = new();
    }

    private sealed record Waiter(FakeSession Session, long RequestId, TimeSpan Until);
}

internal sealed class FakeSession(long id, ByteString nonce, TimeSpan ttl)
{
    private readonly SortedDictionary<long, CommandResult?> _results = [];
    private readonly Dictionary<long, ByteString> _bytes = [];
    private readonly Dictionary<long, List<Action<CommandResult>>> _listeners = [];

    public long Id { get; } = id;

    public ByteString Nonce { get; } = nonce;

    public TimeSpan Ttl { get; } = ttl;

    public TimeSpan Deadline { get; set; }

    public long AnsweredBelow { get; private set; } = 1;

    public int Results => _results.Count;

    public void Forget(long answeredBelow)
    {
        AnsweredBelow = Math.Max(AnsweredBelow, answeredBelow);
        foreach (long old in _results.Keys.TakeWhile(key => key < AnsweredBelow).ToArray())
            _results.Remove(old);
    }

    /// <summary>Whoever asks is answered, on whatever connection: repeats can overtake each other.</summary>
    public void Listen(long requestId, Action<CommandResult> answer)
    {
        if (!_listeners.TryGetValue(requestId, out List<Action<CommandResult>>? listeners))
            _listeners.Add(requestId, listeners = []);
        listeners.Add(answer);
    }

    /// <returns>False for a repeat: it is answered with the result, or will be.</returns>
    public bool Begin(long requestId, Command command)
    {
        ByteString bytes = command.ToByteString();
        if (!_results.TryGetValue(requestId, out CommandResult? known))
        {
            _results.Add(requestId, null);
            _bytes[requestId] = bytes;
            return true;
        }
        Assert.Equal(_bytes.GetValueOrDefault(requestId, bytes), bytes);
        if (known is not null)
            Tell(requestId, known);
        return false;
    }

    /// <summary>Makes <paramref name="result"/> the answer to an id that has not been seen.</summary>
    public bool TryRefuse(long requestId, CommandResult result) =>
        requestId >= AnsweredBelow && _results.TryAdd(requestId, result);

    public void Finish(long requestId, CommandResult result)
    {
        if (_results.ContainsKey(requestId))
            _results[requestId] = result;
        Tell(requestId, result);
    }

    private void Tell(long requestId, CommandResult result)
    {
        if (!_listeners.Remove(requestId, out List<Action<CommandResult>>? listeners))
            return;
        foreach (Action<CommandResult> answer in listeners)
            answer(result);
    }
}
