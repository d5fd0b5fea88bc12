using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>Each limit of the state: reached, and one past it.</summary>
public sealed class LimitTests
{
    [Fact]
    public void One_session_too_many_is_refused_until_another_one_ends()
    {
        var group = new Group(new StateSettings { SessionsMax = 3 });
        long[] sessions = [group.Create(), group.Create(), group.Create()];
        var create = new Command { CreateSession = new CreateSession { TtlUs = Group.Second } };

        Group.IsRefused(group.Apply(create), ErrorCode.TooManySessions);
        Assert.Equal(3, group.State.SessionCount);

        group.End(sessions[0]);
        Assert.Equal(ErrorCode.Ok, group.Apply(create).Result.Error);
    }

    [Fact]
    public void One_waiter_too_many_is_refused_and_the_queue_stays()
    {
        var group = new Group(new StateSettings { WaitersPerResource = 2 });
        group.Acquire(group.Create(), "x");
        group.Acquire(group.Create(), "x", Group.Unbounded);
        group.Acquire(group.Create(), "x", Group.Unbounded);

        Group.IsRefused(group.Acquire(group.Create(), "x", Group.Unbounded), ErrorCode.TooManyWaiters);
        Assert.Equal(2, group.Lock("x")!.Waiters.Count);
    }

    [Fact]
    public void Holdings_and_waits_together_are_limited_so_that_a_grant_never_exceeds_the_limit()
    {
        var group = new Group(new StateSettings { HoldingsPerSession = 3 });
        long a = group.Create();
        long b = group.Create();
        group.Acquire(b, "x");
        group.Acquire(a, "y");
        group.Acquire(a, "z");
        group.Acquire(a, "x", Group.Unbounded);

        Group.IsRefused(group.Acquire(a, "w"), ErrorCode.TooManyHoldings);
        Assert.Null(group.Lock("w"));

        group.Release(b, "x");
        Assert.Equal(a, group.HolderOf("x"));
        Group.IsRefused(group.Acquire(a, "w"), ErrorCode.TooManyHoldings);

        group.Release(a, "y");
        Group.IsGranted(group.Acquire(a, "w"), group.LastIndex);
    }

    [Fact]
    public void One_open_request_too_many_is_refused_until_answers_are_confirmed()
    {
        var group = new Group(new StateSettings { OpenRequestsPerSession = 2 });
        long a = group.Create();
        group.Put("k", "1", a, request: 1);
        group.Put("k", "2", a, request: 2);

        Group.IsRefused(group.Put("k", "3", a, request: 3), ErrorCode.TooManyOpenRequests);
        Assert.Equal(2, group.State.Revision);

        Assert.Equal(3, group.Put("k", "3", a, request: 3, answered: 2).Result.Revision);
    }

    [Fact]
    public void With_a_full_table_waits_can_still_be_cancelled_and_the_session_ended()
    {
        var group = new Group(new StateSettings { OpenRequestsPerSession = 2 });
        long a = group.Create();
        group.Acquire(group.Create(), "x");
        group.Put("k", "1", a, request: 1);
        group.Acquire(a, "x", Group.Unbounded, request: 2);

        Group.IsCancelled(group.Cancel(a, target: 2, request: 3));
        Group.IsRefused(group.Cancel(a, target: 9, request: 4), ErrorCode.TooManyOpenRequests);
        Assert.Equal(Outcome.Done, group.End(a, request: 5).Result.Outcome);
    }

    [Fact]
    public void A_lock_is_entered_so_often_and_no_more()
    {
        var group = new Group(new StateSettings { ReentriesPerHolding = 3 });
        long a = group.Create();
        var again = new AcquireLock { Name = "x", Reentrant = true };
        group.Acquire(a, again);
        group.Acquire(a, again);
        Assert.Equal(3, group.Acquire(a, again).Result.Holds);

        Group.IsRefused(group.Acquire(a, again), ErrorCode.TooManyReentries);
        Assert.Equal(2, group.Release(a, "x").Result.Holds);
    }

    [Fact]
    public void The_limits_are_those_of_the_snapshot()
    {
        Group copy = new Group(new StateSettings
        {
            SessionsMax = 1,
            WaitersPerResource = 2,
            HoldingsPerSession = 3,
            OpenRequestsPerSession = 4,
            LeasesMax = 5,
            ReentriesPerHolding = 6,
            ForcedReleasesKept = 7,
        }).Copy();

        Assert.Equal(
            new StateSettings
            {
                SessionsMax = 1,
                WaitersPerResource = 2,
                HoldingsPerSession = 3,
                OpenRequestsPerSession = 4,
                LeasesMax = 5,
                ReentriesPerHolding = 6,
                ForcedReleasesKept = 7,
            },
            copy.State.Settings);
    }

    [Fact]
    public void The_defaults_hold_at_the_limit_and_one_past_it()
    {
        var group = new Group();
        long holder = group.Create();
        group.Acquire(holder, "x");
        for (int i = 0; i < 1024; i++)
            Group.IsQueued(group.Acquire(group.Create(), "x", Group.Unbounded), group.LastIndex);
        Group.IsRefused(group.Acquire(group.Create(), "x", Group.Unbounded), ErrorCode.TooManyWaiters);

        for (int i = 1; i < 1024; i++)
            Assert.Equal(Outcome.Granted, group.Acquire(holder, $"h/{i}").Result.Outcome);
        Group.IsRefused(group.Acquire(holder, "h/1024"), ErrorCode.TooManyHoldings);

        long asker = group.Create();
        for (int i = 1; i <= 1024; i++)
            Assert.Equal(Outcome.Done, group.Put("k", "v", asker, request: i).Result.Outcome);
        Group.IsRefused(group.Put("k", "v", asker, request: 1025), ErrorCode.TooManyOpenRequests);

        var copy = group.Copy();
        Assert.Equal(group.Snapshot(), copy.Snapshot());
    }

    [Fact]
    public void A_limit_of_none_is_no_limit_to_start_with() => Assert.Throws<ArgumentException>(
        () => CoordinationState.Create(
            new StateSettings { SessionsMax = 0 }, Group.Membership(), 1, new Term(1)));
}
