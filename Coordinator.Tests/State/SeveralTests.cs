using Coordinator.Contracts;

namespace Coordinator.Tests.State;

/// <summary>Several resources at once (rule 20), and sessions that wait for each other.</summary>
public sealed class SeveralTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;
    private readonly long _c;

    public SeveralTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
        _c = _group.Create(ttl: 60 * Group.Second);
    }

    [Fact]
    public void Several_are_granted_by_one_entry_with_one_token_and_a_floor_for_each()
    {
        long reader = _group.Acquire(_b, Group.Shared("y")).Result.Token;

        CommandResult result = _group.Acquire(_a, Several("x", new AlsoAcquire { Name = "y", Shared = true })).Result;

        Assert.Equal((Outcome.Granted, _group.LastIndex, _group.LastIndex), (result.Outcome, result.Token, result.Floor));
        Assert.Equal([reader], result.AlsoFloors);
        Assert.Equal(_a, _group.HolderOf("x"));
    }

    [Fact]
    public void All_or_none_are_granted_and_a_try_leaves_nothing()
    {
        _group.Acquire(_b, "y");

        Group.IsRefused(_group.Acquire(_a, Several("x", new AlsoAcquire { Name = "y" })), ErrorCode.LockNotAcquired);

        Assert.Null(_group.Lock("x"));
        Assert.Empty(_group.Lock("y")!.Waiters);
    }

    [Fact]
    public void A_request_for_several_blocks_those_behind_it_in_each_of_its_queues()
    {
        _group.Acquire(_b, "y");
        _group.Acquire(_a, Several("x", Group.Unbounded, new AlsoAcquire { Name = "y" }));
        long several = _group.LastIndex;

        // x is free, and still nobody passes.
        Group.IsRefused(_group.Acquire(_c, "x"), ErrorCode.LockNotAcquired);
        _group.Acquire(_c, "x", Group.Unbounded);
        long behind = _group.LastIndex;

        _group.Release(_b, "y");
        _group.WaitEnded(several, Outcome.Granted, _group.LastIndex);
        _group.Release(_a, "x");
        _group.WaitEnded(behind, Outcome.Granted, _group.LastIndex);
        Assert.Equal(_a, _group.HolderOf("y"));
    }

    [Fact]
    public void A_cancelled_request_for_several_frees_those_behind_it_everywhere()
    {
        _group.Acquire(_b, "z");
        _group.Acquire(_a, Several("x", Group.Unbounded, new AlsoAcquire { Name = "y" }, new AlsoAcquire { Name = "z" }), request: 1);
        _group.Acquire(_c, "x", Group.Unbounded);
        long d = _group.Create();
        _group.Acquire(d, "y", Group.Unbounded);

        Group.IsCancelled(_group.Cancel(_a, target: 1));

        Assert.Equal((_c, d), (_group.HolderOf("x"), _group.HolderOf("y")));
    }

    [Theory]
    [InlineData(Limits.ResourcesPerRequestMax - 1, ErrorCode.Ok)]
    [InlineData(Limits.ResourcesPerRequestMax, ErrorCode.TooManyResources)]
    public void So_many_at_once_and_no_more(int also, ErrorCode expected)
    {
        AlsoAcquire[] more = [.. Enumerable.Range(0, also).Select(i => new AlsoAcquire { Name = $"m/{i}" })];

        Assert.Equal(expected, _group.Acquire(_a, Several("x", more)).Result.Error);
    }

    [Fact]
    public void Sessions_that_would_wait_for_each_other_are_told_and_the_others_go_on()
    {
        _group.Acquire(_a, "x");
        _group.Acquire(_b, "y");
        _group.Acquire(_c, "z");
        _group.Acquire(_a, "y", Group.Unbounded);
        long waitOfA = _group.LastIndex;
        Group.IsQueued(_group.Acquire(_c, "x", Group.Unbounded), _group.LastIndex);

        Group.IsRefused(_group.Acquire(_b, "z", Group.Unbounded), ErrorCode.DeadlockDetected);

        _group.Release(_b, "y");
        _group.WaitEnded(waitOfA, Outcome.Granted, _group.LastIndex);
    }

    [Fact]
    public void Only_a_holder_who_has_to_let_go_makes_a_deadlock()
    {
        _group.Acquire(_a, Group.Permits("s", 2, of: 2));
        Group.IsRefused(_group.Acquire(_a, Group.Permits("s", 1, of: 2, Group.Unbounded)), ErrorCode.DeadlockDetected);

        // One of two holders of a semaphore may yet be enough.
        _group.Acquire(_b, Group.Permits("t", 1, of: 2));
        _group.Acquire(_c, Group.Permits("t", 1, of: 2));
        _group.Acquire(_b, Group.Permits("s", 1, of: 2, Group.Unbounded));
        Group.IsQueued(_group.Acquire(_a, Group.Permits("t", 1, of: 2, Group.Unbounded)), _group.LastIndex);
    }

    [Fact]
    public void A_session_with_other_work_is_part_of_no_deadlock()
    {
        _group.Acquire(_a, "x");
        _group.Acquire(_b, "y");
        _group.Acquire(_a, new AcquireLock { Name = "y", WaitUs = Group.Unbounded, Concurrent = true });

        Group.IsQueued(_group.Acquire(_b, "x", Group.Unbounded), _group.LastIndex);
    }

    [Fact]
    public void Why_a_request_waits_is_told_for_each_resource_with_holders_and_those_ahead()
    {
        _group.Acquire(_b, new AcquireLock { Name = "y", Label = "nightly", TraceId = "t-9" });
        _group.Acquire(_c, "y", Group.Unbounded);
        _group.Acquire(_a, Several("x", Group.Unbounded, new AlsoAcquire { Name = "y" }), request: 7);
        _group.Acquire(_group.Create(), "y", Group.Unbounded);

        QueryAnswer why = _group.State.Query(new Query { GetWait = new GetWait { SessionId = _a, RequestId = 7 } });

        Assert.Equal(["x", "y"], why.Locks.Select(info => info.Name));
        Assert.Empty(why.Locks[0].Holders);
        LockHolder holder = Assert.Single(why.Locks[1].Holders);
        Assert.Equal((_b, "nightly", "t-9"), (holder.SessionId, holder.Label, holder.TraceId));
        Assert.Equal([_c, _a], why.Locks[1].Waiters.Select(waiter => waiter.SessionId));
        Assert.Equal(
            ErrorCode.NotWaiting,
            _group.State.Query(new Query { GetWait = new GetWait { SessionId = _b, RequestId = 7 } }).Error);
    }

    private static AcquireLock Several(string name, params AlsoAcquire[] also) => Several(name, 0, also);

    private static AcquireLock Several(string name, long wait, params AlsoAcquire[] also) =>
        new() { Name = name, WaitUs = wait, Also = { also } };
}
