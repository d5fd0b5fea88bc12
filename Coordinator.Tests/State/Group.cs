using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

/// <summary>A state and the log that feeds it: each call is the next entry, without a stamp unless it is given one.</summary>
internal sealed class Group(CoordinationState state)
{
    public const long Second = 1_000_000;
    public const long Unbounded = CommandRules.UnboundedWait;

    // Magic, version, level, 10 limits of 4 bytes and 2 of 8; index, term, log time, hash.
    private const int SnapshotPositionBytes = 13 * 4 + 2 * 8 + 4 * 8;

    public Group(StateSettings? settings = null)
        : this(CoordinationState.Create(settings ?? StateSettings.Default, Membership(), 1, new Term(1)))
    {
    }

    public CoordinationState State { get; } = state;

    public ApplyEffects Effects { get; } = new();

    public long LastIndex => State.AppliedIndex;

    public static GroupMembership Membership() => new()
    {
        ClusterId = new Guid("8c1f6a52-0f0e-4bb4-9b2e-1de7a3a6a001"),
        Group = 3,
        ConfState = new ConfState { Voters = [new PeerId(1), new PeerId(2), new PeerId(3)] },
        Peers =
        [
            new PeerRecord(new PeerId(1), new Guid("00000000-0000-0000-0000-000000000001"), "a"),
            new PeerRecord(new PeerId(2), new Guid("00000000-0000-0000-0000-000000000002"), "b"),
            new PeerRecord(new PeerId(3), new Guid("00000000-0000-0000-0000-000000000003"), "c"),
        ],
        NextPeerId = new PeerId(4),
    };

    public ApplyResult Apply(Command? command, long stamp = 0)
    {
        Effects.Clear();
        return State.Apply(State.AppliedIndex + 1, State.AppliedTerm, stamp, command, Effects);
    }

    /// <summary>A membership entry, as a leader proposes it.</summary>
    public ApplyResult ChangePeers(params PeerChange[] changes)
    {
        var command = new Command { ChangePeers = new ChangePeers { Changes = { changes } } };
        ConfChangeV2 change = PeerChanges.ToConfChange(command.ChangePeers, command.ToByteArray());
        Effects.Clear();
        return State.Apply(State.AppliedIndex + 1, State.AppliedTerm, 0, command, change, Effects);
    }

    /// <summary>Raft's own entry, out of a joint configuration.</summary>
    public ApplyResult LeaveJoint()
    {
        Effects.Clear();
        return State.Apply(State.AppliedIndex + 1, State.AppliedTerm, 0, null, new ConfChangeV2(), Effects);
    }

    public static PeerChange Add(long peer, bool voter = false, byte storage = 0) => new()
    {
        Add = new AddPeer
        {
            PeerId = peer,
            StorageId = ByteString.CopyFrom([.. Enumerable.Repeat(storage == 0 ? (byte)peer : storage, 16)]),
            Silo = $"silo-{peer}",
            Voter = voter,
        },
    };

    public static PeerChange Promote(long peer) => new() { Promote = peer };

    public static PeerChange Demote(long peer) => new() { Demote = peer };

    public static PeerChange Remove(long peer) => new() { Remove = peer };

    public long Create(long ttl = 10 * Second, byte[]? nonce = null, string metadata = "", long stamp = 0)
    {
        var create = new CreateSession { TtlUs = ttl, Metadata = metadata };
        if (nonce is not null)
            create.Nonce = ByteString.CopyFrom(nonce);
        CommandResult result = Apply(new Command { CreateSession = create, Caller = "tester" }, stamp).Result;
        Assert.Equal((ErrorCode.Ok, Outcome.Done, ttl), (result.Error, result.Outcome, result.TtlUs));
        return result.SessionId;
    }

    public ApplyResult KeepAlive(long asOf, params long[] sessions) =>
        Apply(new Command { KeepAlive = new KeepAlive { SessionIds = { sessions }, AsOfUs = asOf } });

    public ApplyResult End(long session, long request = 0) =>
        Apply(new Command { SessionId = session, RequestId = request, EndSession = new EndSession() });

    public ApplyResult Advance(long stamp) => Apply(new Command { AdvanceTime = new AdvanceTime() }, stamp);

    public ApplyResult Acquire(
        long session, string name, long wait = 0, long request = 0, long answered = 0, long stamp = 0) =>
        Apply(AcquireCommand(session, name, wait, request, answered), stamp);

    public static Command AcquireCommand(
        long session, string name, long wait = 0, long request = 0, long answered = 0) => new()
        {
            SessionId = session,
            RequestId = request,
            AnsweredBelow = answered,
            AcquireLock = new AcquireLock { Name = name, WaitUs = wait, Label = "label" },
        };

    public ApplyResult Acquire(long session, AcquireLock acquire, long request = 0, long stamp = 0) =>
        Apply(new Command { SessionId = session, RequestId = request, AcquireLock = acquire }, stamp);

    public static AcquireLock Shared(string name, long wait = 0) => new() { Name = name, Shared = true, WaitUs = wait };

    public static AcquireLock Exclusive(string name, long wait = 0) => new() { Name = name, WaitUs = wait };

    public static AcquireLock Upgrade(string name, long wait = 0) => new() { Name = name, Upgrade = true, WaitUs = wait };

    public static AcquireLock Permits(string name, int permits, int of, long wait = 0) =>
        new() { Kind = HoldingKind.Semaphore, Name = name, Permits = permits, Limit = of, WaitUs = wait };

    public LockInfo? Info(HoldingKind kind, string name)
    {
        QueryAnswer answer = State.Query(new Query { GetLock = new GetLock { Kind = kind, Name = name } });
        return answer.Error == ErrorCode.LockNotFound ? null : Assert.Single(answer.Locks);
    }

    public ApplyResult Release(long session, string name, long token = 0, long request = 0, long answered = 0, long stamp = 0) =>
        Apply(
            new Command
            {
                SessionId = session,
                RequestId = request,
                AnsweredBelow = answered,
                ReleaseLock = new ReleaseLock { Name = name, Token = token },
            },
            stamp);

    public ApplyResult Cancel(
        long session, long target, bool release = false, long request = 0, long answered = 0, long stamp = 0) =>
        Apply(
            new Command
            {
                SessionId = session,
                RequestId = request,
                AnsweredBelow = answered,
                CancelWait = new CancelWait { RequestId = target, ReleaseIfGranted = release },
            },
            stamp);

    public ApplyResult CancelEntry(long session, long entry, bool release = false) => Apply(new Command
    {
        SessionId = session,
        CancelWait = new CancelWait { EntryIndex = entry, ReleaseIfGranted = release },
    });

    public ApplyResult Put(string key, string value, long session = 0, long request = 0, long answered = 0) =>
        Apply(new Command
        {
            SessionId = session,
            RequestId = request,
            AnsweredBelow = answered,
            PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(value), ContentType = "text/plain" },
        });

    public ApplyResult Delete(string key, long session = 0, long request = 0) => Apply(new Command
    {
        SessionId = session,
        RequestId = request,
        DeleteConfig = new DeleteConfig { Key = key },
    });

    public LockInfo? Lock(string name)
    {
        QueryAnswer answer = State.Query(new Query { GetLock = new GetLock { Name = name } });
        return answer.Error == ErrorCode.LockNotFound ? null : Assert.Single(answer.Locks);
    }

    public long HolderOf(string name) => Lock(name)?.Holders.FirstOrDefault()?.SessionId ?? 0;

    public byte[] Snapshot()
    {
        var output = new ArrayBufferWriter<byte>();
        State.WriteSnapshot(output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The snapshot without position, hash and checksum: what entries that change nothing leave alone.</summary>
    public byte[] SnapshotContents() => Snapshot()[SnapshotPositionBytes..^4];

    /// <summary>Another replica that begins with this one's snapshot.</summary>
    public Group Copy() => new(CoordinationState.ReadSnapshot(Snapshot()));

    public static void IsGranted(ApplyResult result, long token)
    {
        Assert.Equal((ErrorCode.Ok, Outcome.Granted), (result.Result.Error, result.Result.Outcome));
        Assert.Equal((token, token, 0L), (result.Result.Token, result.Result.Floor, result.WaitIndex));
    }

    public static void IsQueued(ApplyResult result, long waitIndex)
    {
        Assert.Equal((ErrorCode.Ok, Outcome.Queued), (result.Result.Error, result.Result.Outcome));
        Assert.Equal(waitIndex, result.WaitIndex);
    }

    public static void IsCancelled(ApplyResult result, long tokenGivenBack = 0)
    {
        Assert.Equal((ErrorCode.Ok, Outcome.Cancelled), (result.Result.Error, result.Result.Outcome));
        Assert.Equal(tokenGivenBack, result.Result.Token);
    }

    public static void IsRefused(ApplyResult result, ErrorCode error)
    {
        Assert.Equal(error, result.Result.Error);
        Assert.False(string.IsNullOrEmpty(result.Message));
        Assert.Equal(0, result.WaitIndex);
    }

    public void WaitEnded(long entry, Outcome outcome, long token = 0, ErrorCode error = ErrorCode.Ok)
    {
        WaitEnded ended = Assert.Single(Effects.WaitsEnded);
        Assert.Equal(
            (entry, outcome, token, error),
            (ended.EntryIndex, ended.Result.Outcome, ended.Result.Token, ended.Result.Error));
    }
}
