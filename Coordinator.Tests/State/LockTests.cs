using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class LockTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;
    private readonly long _c;

    public LockTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
        _c = _group.Create(ttl: 60 * Group.Second);
    }

    [Fact]
    public void A_free_lock_is_granted_at_once_with_the_entry_s_index_as_token_and_floor()
    {
        ApplyResult result = _group.Acquire(_a, "x");

        Group.IsGranted(result, _group.LastIndex);
        Assert.Equal(_a, _group.HolderOf("x"));
        Assert.Empty(_group.Effects.WaitsEnded);
    }

    [Fact]
    public void A_try_on_a_taken_lock_is_not_acquired_and_leaves_no_wait()
    {
        _group.Acquire(_a, "x");

        ApplyResult result = _group.Acquire(_b, "x", wait: 0);

        Group.IsRefused(result, ErrorCode.LockNotAcquired);
        Assert.Equal(Outcome.NotAcquired, result.Result.Outcome);
        Assert.Empty(_group.Lock("x")!.Waiters);
    }

    [Fact]
    public void Waiters_are_granted_in_the_order_of_the_log_with_rising_tokens()
    {
        long first = _group.Acquire(_a, "x").Result.Token;
        Group.IsQueued(_group.Acquire(_b, "x", Group.Unbounded), _group.LastIndex);
        long waitOfB = _group.LastIndex;
        Group.IsQueued(_group.Acquire(_c, "x", 30 * Group.Second), _group.LastIndex);
        long waitOfC = _group.LastIndex;

        ApplyResult released = _group.Release(_a, "x", first);
        Assert.Equal((Outcome.Released, first), (released.Result.Outcome, released.Result.Token));
        _group.WaitEnded(waitOfB, Outcome.Granted, _group.LastIndex);
        Assert.Equal(_b, _group.HolderOf("x"));

        _group.Release(_b, "x");
        _group.WaitEnded(waitOfC, Outcome.Granted, _group.LastIndex);
        Assert.Equal(_c, _group.HolderOf("x"));
    }

    [Fact]
    public void A_bounded_wait_ends_at_its_deadline_in_log_time()
    {
        _group.Acquire(_a, "x");
        _group.Acquire(_b, "x", wait: 5 * Group.Second, stamp: 1 * Group.Second);
        long wait = _group.LastIndex;
        Assert.Equal(6 * Group.Second, _group.State.NextDueUs);

        _group.Advance(6 * Group.Second - 1);
        Assert.Empty(_group.Effects.WaitsEnded);

        _group.Advance(6 * Group.Second);
        _group.WaitEnded(wait, Outcome.NotAcquired, error: ErrorCode.LockNotAcquired);
        Assert.Empty(_group.Lock("x")!.Waiters);
    }

    [Fact]
    public void An_unbounded_wait_is_never_due()
    {
        _group.Acquire(_a, "x");
        long due = _group.State.NextDueUs;

        _group.Acquire(_b, "x", Group.Unbounded);

        Assert.Equal(due, _group.State.NextDueUs);
    }

    [Fact]
    public void A_wait_that_was_granted_is_no_longer_due()
    {
        _group.Acquire(_a, "x");
        _group.Acquire(_b, "x", wait: 5 * Group.Second);
        _group.Release(_a, "x");

        _group.Advance(6 * Group.Second);

        Assert.Empty(_group.Effects.WaitsEnded);
        Assert.Equal(_b, _group.HolderOf("x"));
    }

    [Fact]
    public void A_second_acquire_by_the_holder_is_refused_with_the_token_it_has()
    {
        long token = _group.Acquire(_a, "x").Result.Token;

        ApplyResult again = _group.Acquire(_a, "x", Group.Unbounded);

        Group.IsRefused(again, ErrorCode.LockAlreadyHeld);
        Assert.Equal(token, again.Result.Token);
    }

    [Fact]
    public void A_second_wait_of_one_session_for_one_lock_is_refused_without_a_token()
    {
        _group.Acquire(_a, "x");
        _group.Acquire(_b, "x", Group.Unbounded, request: 1);

        ApplyResult again = _group.Acquire(_b, "x", Group.Unbounded, request: 2);

        Group.IsRefused(again, ErrorCode.LockAlreadyHeld);
        Assert.Equal(0, again.Result.Token);
        Assert.Contains("waits", again.Message, StringComparison.Ordinal);
        Assert.Single(_group.Lock("x")!.Waiters);
    }

    [Theory]
    [InlineData("x", 1)]
    [InlineData("y", 0)]
    public void A_release_with_another_token_or_of_what_nobody_holds_is_refused(string name, long token)
    {
        _group.Acquire(_a, "x");

        Group.IsRefused(_group.Release(_a, name, token), ErrorCode.LockNotHeld);
        Assert.Equal(_a, _group.HolderOf("x"));
    }

    [Fact]
    public void A_release_by_another_session_is_refused_even_with_the_right_token()
    {
        long token = _group.Acquire(_a, "x").Result.Token;
        _group.Acquire(_b, "x", Group.Unbounded);

        Group.IsRefused(_group.Release(_b, "x", token), ErrorCode.LockNotHeld);
        Assert.Equal(_a, _group.HolderOf("x"));
    }

    [Fact]
    public void An_old_token_does_not_release_a_later_holding_of_the_same_session()
    {
        long old = _group.Acquire(_a, "x").Result.Token;
        _group.Release(_a, "x");
        _group.Acquire(_a, "x");

        Group.IsRefused(_group.Release(_a, "x", old), ErrorCode.LockNotHeld);
    }

    [Fact]
    public void A_released_lock_that_nobody_wants_is_forgotten()
    {
        _group.Acquire(_a, "x");
        _group.Release(_a, "x");

        Assert.Null(_group.Lock("x"));
        Group.IsGranted(_group.Acquire(_b, "x"), _group.LastIndex);
    }

    [Fact]
    public void The_end_of_a_session_ends_its_waits_and_hands_on_what_it_held()
    {
        _group.Acquire(_a, "x");
        _group.Acquire(_c, "y");
        _group.Acquire(_b, "x", Group.Unbounded);
        long waitOfB = _group.LastIndex;
        _group.Acquire(_a, "y", Group.Unbounded);
        long waitOfA = _group.LastIndex;

        _group.End(_a);

        Assert.Equal(2, _group.Effects.WaitsEnded.Count);
        Assert.Equal(
            (waitOfA, ErrorCode.SessionNotFound),
            (_group.Effects.WaitsEnded[0].EntryIndex, _group.Effects.WaitsEnded[0].Result.Error));
        Assert.Equal(
            (waitOfB, Outcome.Granted, _group.LastIndex),
            (_group.Effects.WaitsEnded[1].EntryIndex, _group.Effects.WaitsEnded[1].Result.Outcome,
                _group.Effects.WaitsEnded[1].Result.Token));
        Assert.Empty(_group.Lock("y")!.Waiters);
    }

    [Fact]
    public void What_one_session_held_is_handed_on_in_the_order_of_names_whatever_the_order_of_grants()
    {
        foreach (string name in (string[])["m", "z", "a"])
            _group.Acquire(_a, name);
        foreach (string name in (string[])["z", "a", "m"])
            _group.Acquire(_b, name, Group.Unbounded, request: name[0]);

        _group.End(_a);

        Assert.Equal(['a', 'm', 'z'], _group.Effects.WaitsEnded.Select(ended => (char)ended.RequestId));
    }

    [Fact]
    public void Nothing_is_granted_to_a_session_that_ends_by_the_same_stamp()
    {
        long holder = _group.Create(ttl: 1 * Group.Second);
        long waiter = _group.Create(ttl: 2 * Group.Second);
        _group.Acquire(holder, "x");
        _group.Acquire(waiter, "x", Group.Unbounded);
        _group.Acquire(_a, "x", Group.Unbounded);

        _group.Advance(2 * Group.Second);

        Assert.Equal(_a, _group.HolderOf("x"));
        Assert.Equal([ErrorCode.SessionNotFound, ErrorCode.Ok], _group.Effects.WaitsEnded.Select(e => e.Result.Error));
    }

    [Fact]
    public void Nothing_is_granted_to_a_wait_that_ends_by_the_same_stamp_as_the_holder()
    {
        long holder = _group.Create(ttl: 1 * Group.Second);
        _group.Acquire(holder, "x");
        _group.Acquire(_b, "x", wait: 1 * Group.Second);
        long wait = _group.LastIndex;

        _group.Advance(1 * Group.Second);

        _group.WaitEnded(wait, Outcome.NotAcquired, error: ErrorCode.LockNotAcquired);
        Assert.Null(_group.Lock("x"));
    }

    [Fact]
    public void A_newcomer_does_not_pass_those_who_wait_when_its_own_entry_ends_the_holder()
    {
        long holder = _group.Create(ttl: 1 * Group.Second);
        _group.Acquire(holder, "x");
        _group.Acquire(_b, "x", Group.Unbounded);
        long wait = _group.LastIndex;

        ApplyResult tried = _group.Acquire(_c, "x", wait: 0, stamp: 1 * Group.Second);

        Group.IsRefused(tried, ErrorCode.LockNotAcquired);
        _group.WaitEnded(wait, Outcome.Granted, _group.LastIndex);
    }

    [Fact]
    public void A_newcomer_takes_what_its_own_entry_freed_when_nobody_waits()
    {
        long holder = _group.Create(ttl: 1 * Group.Second);
        _group.Acquire(holder, "x");

        Group.IsGranted(_group.Acquire(_c, "x", stamp: 1 * Group.Second), _group.LastIndex);
        Assert.Equal(_c, _group.HolderOf("x"));
    }

    [Fact]
    public void One_entry_grants_a_lock_at_most_once()
    {
        // The stamp ends the holder, the command cancels the next in line, and is ready to give a grant back: served in
        // between, the lock would be granted to b and then to c with the same token (rule 18).
        long holder = _group.Create(ttl: 1 * Group.Second);
        _group.Acquire(holder, "x");
        _group.Acquire(_b, "x", Group.Unbounded, request: 1);
        long waitOfB = _group.LastIndex;
        _group.Acquire(_c, "x", Group.Unbounded);
        long waitOfC = _group.LastIndex;

        Group.IsCancelled(_group.Cancel(_b, target: 1, release: true, stamp: 1 * Group.Second));

        Assert.Equal(
            [(waitOfB, Outcome.Cancelled, 0L), (waitOfC, Outcome.Granted, _group.LastIndex)],
            _group.Effects.WaitsEnded.Select(e => (e.EntryIndex, e.Result.Outcome, e.Result.Token)));
    }
}
