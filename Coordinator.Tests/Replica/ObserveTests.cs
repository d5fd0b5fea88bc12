using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Tests.Replica;

/// <summary>What a replica tells those who observe elections and sessions.</summary>
public sealed class ObserveTests
{
    private readonly WatchedPeer _peer = new();

    [Fact]
    public void Who_knows_nothing_is_told_what_a_quorum_knows_also_of_an_election_without_candidates()
    {
        WatchTicket ticket = _peer.Submit(Election(seen: null));
        Assert.True(_peer.Waits(ticket));
        _peer.ConfirmRound();

        Assert.Equal(new ElectionState(), _peer.PageOf(ticket).Election);
    }

    [Fact]
    public void Another_leader_a_proclamation_and_a_resignation_are_told_each()
    {
        long session = _peer.CreateSession();
        _peer.CatchUp();
        WatchTicket vacant = _peer.Submit(Election(new ElectionState()));
        Assert.True(_peer.Waits(vacant));

        long token = _peer.Commit(InSession(session, new Command { AcquireLock = Campaign("v1") })).Result.Token;
        _peer.CatchUp();
        ElectionState elected = _peer.PageOf(vacant).Election;
        Assert.Equal((token, session, "v1"), (elected.Token, elected.SessionId, elected.Value));

        WatchTicket led = _peer.Submit(Election(elected));
        Assert.True(_peer.Waits(led));
        _peer.Commit(InSession(session, new Command { Proclaim = new Proclaim { Name = "e", Token = token, Value = "v2" } }));
        _peer.CatchUp();
        ElectionState proclaimed = _peer.PageOf(led).Election;
        Assert.Equal((token, "v2"), (proclaimed.Token, proclaimed.Value));

        WatchTicket resigned = _peer.Submit(Election(proclaimed));
        _peer.Commit(new Command { SessionId = session, EndSession = new EndSession() });
        _peer.CatchUp();
        Assert.Equal(new ElectionState(), _peer.PageOf(resigned).Election);
    }

    [Fact]
    public void What_changed_and_changed_back_before_anybody_looked_may_be_left_out()
    {
        long session = _peer.CreateSession();
        _peer.CatchUp();
        WatchTicket vacant = _peer.Submit(Election(new ElectionState()));

        _peer.Commit(InSession(session, new Command { AcquireLock = Campaign("v") }));
        _peer.Commit(new Command { SessionId = session, EndSession = new EndSession() });
        _peer.CatchUp();

        Assert.True(_peer.Waits(vacant));
    }

    [Fact]
    public void A_replica_that_lags_does_not_tell_an_older_leader_than_the_caller_knows()
    {
        long session = _peer.CreateSession();
        _peer.CatchUp();
        long token = _peer.Commit(InSession(session, new Command { AcquireLock = Campaign("v") })).Result.Token;
        var known = new ElectionState { Token = token, SessionId = session, Value = "v" };
        WatchTicket ticket = _peer.Submit(Election(known));
        _peer.ConfirmRound();
        Assert.True(_peer.Waits(ticket));
        _peer.CatchUp();
        Assert.True(_peer.Waits(ticket));
    }

    [Fact]
    public void Elections_are_judged_again_after_a_snapshot()
    {
        long session = _peer.CreateSession();
        _peer.CatchUp();
        WatchTicket ticket = _peer.Submit(Election(new ElectionState()));
        long token = _peer.Commit(InSession(session, new Command { AcquireLock = Campaign("v") })).Result.Token;
        _peer.Install();

        Assert.Equal(token, _peer.PageOf(ticket).Election.Token);
    }

    [Fact]
    public void A_session_is_told_all_that_it_holds_in_the_order_of_its_acquires()
    {
        long session = _peer.CreateSession();
        _peer.Commit(InSession(session, new Command { RequestId = 1, AcquireLock = new AcquireLock { Name = "z" } }));
        long second = _peer.Commit(
            InSession(session, new Command { RequestId = 2, AcquireLock = new AcquireLock { Name = "a" } })).Result.Token;
        _peer.CatchUp();

        WatchTicket ticket = _peer.Submit(Session(session, seen: 0));
        Assert.True(_peer.Waits(ticket));
        _peer.ConfirmRound();

        SessionNotices told = _peer.PageOf(ticket).Session;

        Assert.Equal((session, session), (told.SessionId, told.Notice));
        Assert.Equal(["z", "a"], told.Holdings.Select(holding => holding.Name));
        Assert.Equal((second, second, 2L), (told.Holdings[1].Token, told.Holdings[1].EntryIndex, told.Holdings[1].RequestId));
    }

    [Fact]
    public void A_request_to_release_and_a_forced_release_are_told_to_the_holder_and_to_nobody_else()
    {
        long holder = _peer.CreateSession();
        long other = _peer.CreateSession();
        _peer.Commit(InSession(holder, new Command { AcquireLock = new AcquireLock { Name = "a" } }));
        _peer.CatchUp();
        WatchTicket bystander = _peer.Submit(Session(other, seen: other));
        WatchTicket asked = _peer.Submit(Session(holder, seen: holder));
        Assert.True(_peer.Waits(asked));

        _peer.Commit(new Command { RequestRelease = new RequestRelease { Name = "a", Reason = "please" } });
        _peer.CatchUp();
        SessionNotices first = _peer.PageOf(asked).Session;
        Assert.Equal(
            (true, "please", _peer.Group.AppliedIndex),
            (first.Holdings[0].ReleaseRequested, first.Holdings[0].ReleaseReason, first.Notice));

        WatchTicket forced = _peer.Submit(Session(holder, first.Notice));
        Assert.True(_peer.Waits(forced));
        _peer.Commit(new Command { ForceRelease = new ForceRelease { Name = "a", Reason = "now" } });
        _peer.CatchUp();
        SessionNotices second = _peer.PageOf(forced).Session;
        Assert.Equal((0, _peer.Group.AppliedIndex), (second.Holdings.Count, second.Notice));
        Assert.True(_peer.Waits(bystander));
    }

    [Fact]
    public void A_maximum_hold_that_has_passed_is_told()
    {
        long session = _peer.CreateSession();
        _peer.Commit(InSession(session, new Command { AcquireLock = new AcquireLock { Name = "a", MaxHoldUs = 1_000_000 } }));
        _peer.CatchUp();
        WatchTicket ticket = _peer.Submit(Session(session, seen: session));

        _peer.Commit(new Command { AdvanceTime = new AdvanceTime() }, stampUs: 2_000_000);
        _peer.CatchUp();

        Assert.Empty(_peer.PageOf(ticket).Session.Holdings);
    }

    [Fact]
    public void A_notice_survives_a_snapshot()
    {
        long session = _peer.CreateSession();
        _peer.Commit(InSession(session, new Command { AcquireLock = new AcquireLock { Name = "a" } }));
        _peer.CatchUp();
        WatchTicket ticket = _peer.Submit(Session(session, seen: session));
        _peer.Commit(new Command { ForceRelease = new ForceRelease { Name = "a" } });
        long notice = _peer.Group.AppliedIndex;
        _peer.Put("something else");
        _peer.Install();

        Assert.Equal(notice, _peer.PageOf(ticket).Session.Notice);
    }

    [Fact]
    public void A_session_that_ends_or_never_was_is_not_found()
    {
        long session = _peer.CreateSession();
        _peer.CatchUp();
        WatchTicket ends = _peer.Submit(Session(session, seen: session));
        _peer.Commit(new Command { SessionId = session, EndSession = new EndSession() });
        _peer.CatchUp();
        Assert.Equal(ErrorCode.SessionNotFound, _peer.PageOf(ends).Error);
        Assert.Equal(ErrorCode.SessionNotFound, _peer.PageOf(_peer.Submit(Session(1, seen: 1))).Error);

        WatchTicket future = _peer.Submit(Session(long.MaxValue, seen: 0));
        Assert.True(_peer.Waits(future));
        _peer.ConfirmRound();
        Assert.Equal(ErrorCode.SessionNotFound, _peer.PageOf(future).Error);
    }

    [Fact]
    public void A_session_that_the_replica_has_not_heard_of_yet_is_waited_for()
    {
        long session = _peer.CreateSession();
        WatchTicket ticket = _peer.Submit(Session(session, seen: 0));
        _peer.ConfirmRound();
        Assert.True(_peer.Waits(ticket));
        _peer.CatchUp();

        Assert.Equal(session, _peer.PageOf(ticket).Session.SessionId);
    }

    private static Command InSession(long session, Command command)
    {
        command.SessionId = session;
        return command;
    }

    private static AcquireLock Campaign(string value) =>
        new() { Kind = HoldingKind.Election, Name = "e", Value = value };

    private static Watch Election(ElectionState? seen) => new() { Election = new ObserveElection { Name = "e", Seen = seen } };

    private static Watch Session(long session, long seen) =>
        new() { Session = new ObserveSession { SessionId = session, SeenNotice = seen } };
}
