using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>Rule 16: a caller hears "not acquired" only when nothing can be granted to it any more.</summary>
public sealed class CancelTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;
    private readonly long _c;

    public CancelTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
        _c = _group.Create(ttl: 60 * Group.Second);
        _group.Acquire(_a, "x", request: 1);
    }

    [Fact]
    public void A_cancel_ends_the_wait_and_a_repeat_of_the_acquire_hears_of_it()
    {
        _group.Acquire(_b, "x", Group.Unbounded, request: 1);
        long wait = _group.LastIndex;

        Group.IsCancelled(_group.Cancel(_b, target: 1));
        _group.WaitEnded(wait, Outcome.Cancelled);
        Group.IsCancelled(_group.Acquire(_b, "x", Group.Unbounded, request: 1));

        _group.Release(_a, "x");
        Assert.Null(_group.Lock("x"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_repeated_cancel_gets_the_same_answer(bool release)
    {
        _group.Acquire(_b, "x", Group.Unbounded, request: 1);
        _group.Cancel(_b, target: 1, release, request: 2);

        Group.IsCancelled(_group.Cancel(_b, target: 1, release, request: 2));
        Group.IsCancelled(_group.Cancel(_b, target: 1, release, request: 3));
        Assert.Empty(_group.Effects.WaitsEnded);
    }

    [Fact]
    public void A_cancel_that_comes_after_the_grant_tells_the_token_and_leaves_the_holding()
    {
        _group.Acquire(_b, "x", Group.Unbounded, request: 1);
        _group.Release(_a, "x");
        long token = _group.LastIndex;

        Group.IsGranted(_group.Cancel(_b, target: 1), token);
        Group.IsGranted(_group.Cancel(_b, target: 1), token);
        Assert.Equal(_b, _group.HolderOf("x"));
    }

    [Fact]
    public void A_cancel_that_comes_after_the_grant_gives_the_holding_back_if_it_says_so()
    {
        _group.Acquire(_b, "x", Group.Unbounded, request: 1);
        _group.Acquire(_c, "x", Group.Unbounded, request: 1);
        long waitOfC = _group.LastIndex;
        _group.Release(_a, "x");
        long token = _group.LastIndex;

        Group.IsCancelled(_group.Cancel(_b, target: 1, release: true), token);
        _group.WaitEnded(waitOfC, Outcome.Granted, _group.LastIndex);

        Group.IsCancelled(_group.Cancel(_b, target: 1, release: true), token);
        Group.IsCancelled(_group.Acquire(_b, "x", Group.Unbounded, request: 1), token);
        Assert.Equal(_c, _group.HolderOf("x"));
    }

    [Fact]
    public void A_cancel_does_not_touch_a_later_holding_of_the_same_lock()
    {
        _group.Release(_a, "x");
        _group.Acquire(_a, "x", request: 2);

        Group.IsRefused(_group.Cancel(_a, target: 1, release: true), ErrorCode.NotWaiting);
        Assert.Equal(_a, _group.HolderOf("x"));
    }

    [Fact]
    public void A_cancel_that_overtakes_its_acquire_keeps_it_from_being_executed()
    {
        _group.Release(_a, "x");

        Group.IsCancelled(_group.Cancel(_b, target: 1));
        Group.IsCancelled(_group.Acquire(_b, "x", Group.Unbounded, request: 1));

        Assert.Null(_group.Lock("x"));
        Group.IsCancelled(_group.Cancel(_b, target: 1));
    }

    [Fact]
    public void An_overtaken_acquire_also_gets_no_place_in_a_queue()
    {
        Group.IsCancelled(_group.Cancel(_b, target: 1, release: true));
        Group.IsCancelled(_group.Acquire(_b, "x", Group.Unbounded, request: 1));

        _group.Release(_a, "x");
        Assert.Null(_group.Lock("x"));
    }

    [Fact]
    public void The_id_of_an_acquire_cancelled_before_it_came_serves_no_other_operation()
    {
        _group.Cancel(_b, target: 1);

        Group.IsRefused(_group.Put("k", "v", _b, request: 1), ErrorCode.RequestMismatch);
        Assert.Equal(0, _group.State.Revision);
    }

    [Fact]
    public void A_cancel_of_an_answered_acquire_finds_its_holding_as_long_as_it_lasts()
    {
        _group.Release(_a, "x");
        long token = _group.Acquire(_b, "x", request: 1).Result.Token;
        _group.Put("k", "v", _b, request: 2, answered: 2);

        Group.IsGranted(_group.Cancel(_b, target: 1), token);
        Group.IsCancelled(_group.Cancel(_b, target: 1, release: true), token);
        Group.IsRefused(_group.Cancel(_b, target: 1, release: true), ErrorCode.NotWaiting);
    }

    [Fact]
    public void A_cancel_of_what_ended_otherwise_finds_nothing()
    {
        Group.IsRefused(_group.Acquire(_b, "x", wait: 0, request: 1), ErrorCode.LockNotAcquired);
        ApplyResult cancel = _group.Cancel(_b, target: 1);

        Group.IsRefused(cancel, ErrorCode.NotWaiting);
        Assert.Equal(Outcome.None, cancel.Result.Outcome);
    }

    [Fact]
    public void A_cancel_of_another_kind_of_request_is_refused()
    {
        _group.Put("k", "v", _b, request: 1);

        Group.IsRefused(_group.Cancel(_b, target: 1), ErrorCode.RequestMismatch);
    }

    [Fact]
    public void A_cancel_reaches_only_the_waits_of_its_own_session()
    {
        _group.Acquire(_b, "x", Group.Unbounded, request: 7);
        long wait = _group.LastIndex;

        _group.Cancel(_c, target: 7);
        Group.IsRefused(_group.CancelEntry(_c, wait), ErrorCode.NotWaiting);

        Assert.Equal(_b, Assert.Single(_group.Lock("x")!.Waiters).SessionId);
    }

    [Fact]
    public void An_acquire_without_a_request_id_is_cancelled_by_its_entry()
    {
        _group.Acquire(_b, "x", Group.Unbounded);
        long wait = _group.LastIndex;

        Group.IsCancelled(_group.CancelEntry(_b, wait));
        _group.WaitEnded(wait, Outcome.Cancelled);
        Group.IsRefused(_group.CancelEntry(_b, wait), ErrorCode.NotWaiting);
    }

    [Fact]
    public void A_cancel_by_entry_that_comes_after_the_grant_gives_it_back_if_it_says_so()
    {
        _group.Acquire(_b, "x", Group.Unbounded);
        long wait = _group.LastIndex;
        _group.Release(_a, "x");
        long token = _group.LastIndex;

        Group.IsGranted(_group.CancelEntry(_b, wait), token);
        Group.IsCancelled(_group.CancelEntry(_b, wait, release: true), token);
        Assert.Null(_group.Lock("x"));
    }

    [Fact]
    public void A_stale_cancel_is_refused()
    {
        _group.Acquire(_b, "x", Group.Unbounded, request: 5);
        _group.Put("k", "v", _b, request: 6, answered: 3);

        Group.IsRefused(_group.Cancel(_b, target: 5, request: 2), ErrorCode.RequestIdStale);
        Assert.Single(_group.Lock("x")!.Waiters);
    }

    [Fact]
    public void A_wait_that_its_client_no_longer_asks_for_can_still_be_cancelled()
    {
        _group.Acquire(_b, "x", Group.Unbounded, request: 1);
        long wait = _group.LastIndex;
        _group.Put("k", "v", _b, request: 2, answered: 2);

        Group.IsCancelled(_group.Cancel(_b, target: 1));
        _group.WaitEnded(wait, Outcome.Cancelled);
    }
}
