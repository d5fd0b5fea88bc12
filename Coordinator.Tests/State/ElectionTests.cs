using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class ElectionTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;
    private readonly long _c;

    public ElectionTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
        _c = _group.Create(ttl: 60 * Group.Second);
    }

    [Fact]
    public void The_first_candidate_leads_and_publishes_its_value_and_the_others_wait_in_line()
    {
        long token = Campaign(_a, "host-a").Result.Token;
        Assert.Equal([new ElectionChanged("e", _a, token, "host-a")], _group.Effects.ElectionsChanged);
        Campaign(_b, "host-b");
        Assert.Empty(_group.Effects.ElectionsChanged);

        LockInfo election = _group.Info(HoldingKind.Election, "e")!;
        Assert.Equal((_a, "host-a"), (election.Holders[0].SessionId, election.Holders[0].Value));
        Assert.Equal([(_b, "host-b")], election.Waiters.Select(waiter => (waiter.SessionId, waiter.Value)));
    }

    [Fact]
    public void A_leader_who_resigns_or_dies_is_followed_by_the_next_in_one_event()
    {
        Campaign(_a, "host-a");
        Campaign(_b, "host-b");
        Campaign(_c, "host-c");

        _group.Apply(new Command
        {
            SessionId = _a,
            ReleaseLock = new ReleaseLock { Kind = HoldingKind.Election, Name = "e" },
        });
        Assert.Equal([new ElectionChanged("e", _b, _group.LastIndex, "host-b")], _group.Effects.ElectionsChanged);

        _group.End(_b);
        Assert.Equal([new ElectionChanged("e", _c, _group.LastIndex, "host-c")], _group.Effects.ElectionsChanged);
        _group.End(_c);
        Assert.Equal([new ElectionChanged("e", 0, 0, "")], _group.Effects.ElectionsChanged);
    }

    [Fact]
    public void Only_the_leader_proclaims_a_new_value()
    {
        long token = Campaign(_a, "old").Result.Token;
        Campaign(_b, "other");
        Group.IsRefused(Proclaim(_b, "mine"), ErrorCode.LockNotHeld);
        Group.IsRefused(Proclaim(_a, "late", token: 1), ErrorCode.LockNotHeld);

        Assert.Equal(Outcome.Done, Proclaim(_a, "new", token).Result.Outcome);

        Assert.Equal([new ElectionChanged("e", _a, token, "new")], _group.Effects.ElectionsChanged);
    }

    [Fact]
    public void A_leader_hands_over_to_the_candidate_it_names_whatever_its_place_in_line()
    {
        long token = Campaign(_a, "host-a").Result.Token;
        Campaign(_b, "host-b");
        Campaign(_c, "host-c");
        long waitOfC = _group.LastIndex;

        ApplyResult handedOver = HandOver(_a, to: _c);

        Assert.Equal((Outcome.Released, token), (handedOver.Result.Outcome, handedOver.Result.Token));
        _group.WaitEnded(waitOfC, Outcome.Granted, _group.LastIndex);
        Assert.Equal([new ElectionChanged("e", _c, _group.LastIndex, "host-c")], _group.Effects.ElectionsChanged);
        Assert.Equal([_b], _group.Info(HoldingKind.Election, "e")!.Waiters.Select(waiter => waiter.SessionId));
    }

    [Fact]
    public void A_leader_who_names_nobody_that_waits_stays_the_leader()
    {
        Campaign(_a, "host-a");

        Group.IsRefused(HandOver(_a, to: _b), ErrorCode.CandidateNotFound);
        Group.IsRefused(HandOver(_b, to: _a), ErrorCode.LockNotHeld);

        Assert.Equal(_a, _group.Info(HoldingKind.Election, "e")!.Holders[0].SessionId);
    }

    private ApplyResult Campaign(long session, string value) => _group.Acquire(
        session,
        new AcquireLock { Kind = HoldingKind.Election, Name = "e", Value = value, WaitUs = Group.Unbounded });

    private ApplyResult Proclaim(long session, string value, long token = 0) => _group.Apply(new Command
    {
        SessionId = session,
        Proclaim = new Proclaim { Name = "e", Token = token, Value = value },
    });

    private ApplyResult HandOver(long session, long to) => _group.Apply(new Command
    {
        SessionId = session,
        HandOver = new HandOver { Name = "e", ToSessionId = to },
    });
}
