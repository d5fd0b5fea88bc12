using Coordinator.Contracts;

namespace Coordinator.Tests.State;

public sealed class QueryTests
{
    private readonly Group _group = new();

    [Fact]
    public void Every_answer_says_what_it_reflects()
    {
        _group.Put("a", "1");

        Position position = Ask(new Query { GetConfig = new GetConfig { Key = "a" } }).Position;

        Assert.Equal((3, 1L, _group.LastIndex, 1L), (position.Group, position.Term, position.Index, position.Revision));
    }

    [Fact]
    public void A_lock_shows_who_holds_it_who_waits_and_since_when()
    {
        long a = _group.Create(ttl: 60 * Group.Second, metadata: "host-1", stamp: 1 * Group.Second);
        long b = _group.Create(ttl: 60 * Group.Second);
        long c = _group.Create(ttl: 60 * Group.Second);
        long token = _group.Acquire(a, "x", stamp: 2 * Group.Second).Result.Token;
        _group.Acquire(b, "x", 10 * Group.Second, stamp: 3 * Group.Second);
        long waitOfB = _group.LastIndex;
        _group.Acquire(c, "x", Group.Unbounded);
        _group.Advance(5 * Group.Second);

        LockInfo info = _group.Lock("x")!;

        Assert.Equal("x", info.Name);
        Assert.Equal(
            (a, token, 3 * Group.Second, "label", "host-1"),
            (info.Holders[0].SessionId, info.Holders[0].Token, info.Holders[0].HeldUs, info.Holders[0].Label,
                info.Holders[0].SessionMetadata));
        Assert.Equal([b, c], info.Waiters.Select(waiter => waiter.SessionId));
        Assert.Equal(
            (waitOfB, 2 * Group.Second, 8 * Group.Second, "label"),
            (info.Waiters[0].EntryIndex, info.Waiters[0].WaitedUs, info.Waiters[0].RemainingUs, info.Waiters[0].Label));
        Assert.Equal(-1, info.Waiters[1].RemainingUs);
    }

    [Fact]
    public void A_session_shows_what_it_holds_by_name_and_how_long_it_has_left()
    {
        long a = _group.Create(ttl: 60 * Group.Second, metadata: "host-1", stamp: 1 * Group.Second);
        long b = _group.Create(ttl: 60 * Group.Second);
        _group.Acquire(a, "y");
        _group.Acquire(a, "x");
        _group.Acquire(b, "z");
        _group.Acquire(a, "z", Group.Unbounded);
        _group.Advance(5 * Group.Second);

        SessionInfo info = Assert.Single(Ask(new Query { GetSession = new GetSession { SessionId = a } }).Sessions);

        Assert.Equal((a, 60 * Group.Second, 56 * Group.Second), (info.SessionId, info.TtlUs, info.RemainingUs));
        Assert.Equal(("host-1", "tester", 1, 4 * Group.Second), (info.Metadata, info.Caller, info.Waiting, info.AgeUs));
        Assert.Equal(["x", "y"], info.Locks);
    }

    [Fact]
    public void A_session_shows_all_that_it_holds_of_every_kind_and_what_is_asked_back()
    {
        long session = _group.Create();
        _group.Acquire(session, Group.Permits("s", 2, of: 5));
        long lockToken = _group.Acquire(session, Group.Exclusive("b"), request: 4).Result.Token;
        _group.Acquire(session, new AcquireLock { Kind = HoldingKind.Election, Name = "a" });
        _group.Apply(new Command { RequestRelease = new RequestRelease { Name = "b", Reason = "please" } });

        SessionInfo info = Ask(new Query { GetSession = new GetSession { SessionId = session } }).Sessions[0];

        Assert.Equal(
            [(HoldingKind.Lock, "b"), (HoldingKind.Semaphore, "s"), (HoldingKind.Election, "a")],
            info.Holdings.Select(holding => (holding.Kind, holding.Name)));
        Assert.Equal(
            new SessionHolding
            {
                Name = "b",
                Token = lockToken,
                EntryIndex = lockToken,
                RequestId = 4,
                ReleaseRequested = true,
                ReleaseReason = "please",
            },
            info.Holdings[0]);
        Assert.Empty(Ask(new Query { ListSessions = new ListSessions() }).Sessions[0].Holdings);
    }

    [Fact]
    public void Locks_and_sessions_are_listed_in_pages()
    {
        long[] sessions = [_group.Create(), _group.Create(), _group.Create()];
        foreach (string name in (string[])["q/1", "p/3", "p/1", "p/2"])
            _group.Acquire(sessions[0], name);

        QueryAnswer locks = Ask(new Query { ListLocks = new ListLocks { Prefix = "p/", Limit = 2 } });
        Assert.Equal(["p/1", "p/2"], locks.Locks.Select(info => info.Name));
        Assert.True(locks.More);
        locks = Ask(new Query { ListLocks = new ListLocks { Prefix = "p/", AfterName = "p/2", Limit = 2 } });
        Assert.Equal(["p/3"], locks.Locks.Select(info => info.Name));
        Assert.False(locks.More);

        QueryAnswer first = Ask(new Query { ListSessions = new ListSessions { Limit = 2 } });
        Assert.Equal(sessions[..2], first.Sessions.Select(info => info.SessionId));
        Assert.True(first.More);
        QueryAnswer rest = Ask(new Query { ListSessions = new ListSessions { AfterSessionId = sessions[1] } });
        Assert.Equal(sessions[2..], rest.Sessions.Select(info => info.SessionId));
        Assert.False(rest.More);
    }

    [Fact]
    public void What_is_not_there_or_makes_no_sense_is_refused_by_name()
    {
        Refused(ErrorCode.LockNotFound, new Query { GetLock = new GetLock { Name = "x" } });
        Refused(ErrorCode.KeyNotFound, new Query { GetConfig = new GetConfig { Key = "x" } });
        Refused(ErrorCode.SessionNotFound, new Query { GetSession = new GetSession { SessionId = 9 } });
        Refused(ErrorCode.InvalidName, new Query { GetLock = new GetLock { Name = "" } });
        Refused(ErrorCode.InvalidName, new Query { GetConfig = new GetConfig { Key = "a//b" } });
        Refused(ErrorCode.InvalidName, new Query { ListConfig = new ListConfig { Prefix = "a\n" } });
        Refused(ErrorCode.InvalidRequest, new Query { ListConfig = new ListConfig { Limit = -1 } });
        Refused(ErrorCode.InvalidRequest, new Query { ListSessions = new ListSessions { AfterSessionId = -1 } });
        Refused(ErrorCode.InvalidRequest, new Query());
    }

    private QueryAnswer Ask(Query query)
    {
        QueryAnswer answer = _group.State.Query(query);
        Assert.Equal((ErrorCode.Ok, ""), (answer.Error, answer.Message));
        return answer;
    }

    private void Refused(ErrorCode code, Query query)
    {
        QueryAnswer answer = _group.State.Query(query);
        Assert.Equal(code, answer.Error);
        Assert.NotEmpty(answer.Message);
        Assert.NotNull(answer.Position);
    }
}
