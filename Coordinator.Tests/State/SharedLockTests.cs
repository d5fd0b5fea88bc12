using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class SharedLockTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;
    private readonly long _c;

    public SharedLockTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
        _c = _group.Create(ttl: 60 * Group.Second);
    }

    [Fact]
    public void Shared_holders_hold_together_and_their_floor_is_the_lowest_token_held()
    {
        long first = _group.Acquire(_a, Group.Shared("x")).Result.Token;

        CommandResult second = _group.Acquire(_b, Group.Shared("x")).Result;

        Assert.Equal((Outcome.Granted, _group.LastIndex, first), (second.Outcome, second.Token, second.Floor));
        _group.Release(_a, "x");
        CommandResult third = _group.Acquire(_c, Group.Shared("x")).Result;
        Assert.Equal((_group.LastIndex, second.Token), (third.Token, third.Floor));
    }

    [Fact]
    public void A_shared_request_never_jumps_an_exclusive_one_that_waits()
    {
        _group.Acquire(_a, Group.Shared("x"));
        _group.Acquire(_b, Group.Exclusive("x", Group.Unbounded));
        long exclusive = _group.LastIndex;

        Group.IsRefused(_group.Acquire(_c, Group.Shared("x")), ErrorCode.LockNotAcquired);
        Group.IsQueued(_group.Acquire(_c, Group.Shared("x", Group.Unbounded)), _group.LastIndex);
        long shared = _group.LastIndex;

        _group.Release(_a, "x");
        _group.WaitEnded(exclusive, Outcome.Granted, _group.LastIndex);
        _group.Release(_b, "x");
        _group.WaitEnded(shared, Outcome.Granted, _group.LastIndex);
    }

    [Fact]
    public void Shared_waiters_in_a_row_are_granted_by_one_entry_with_one_token()
    {
        _group.Acquire(_a, "x");
        _group.Acquire(_b, Group.Shared("x", Group.Unbounded));
        _group.Acquire(_c, Group.Shared("x", Group.Unbounded));

        _group.Release(_a, "x");

        Assert.Equal(
            [(Outcome.Granted, _group.LastIndex, _group.LastIndex), (Outcome.Granted, _group.LastIndex, _group.LastIndex)],
            _group.Effects.WaitsEnded.Select(e => (e.Result.Outcome, e.Result.Token, e.Result.Floor)));
    }

    [Fact]
    public void A_shared_request_that_waits_behind_a_shared_one_is_granted_by_its_own_entry_if_that_ends_the_holder()
    {
        long dying = _group.Create(ttl: Group.Second);
        _group.Acquire(dying, "x");
        _group.Acquire(_a, Group.Shared("x", Group.Unbounded));

        ApplyResult own = _group.Acquire(_b, Group.Shared("x", Group.Unbounded), stamp: 2 * Group.Second);

        Assert.Equal((Outcome.Granted, _group.LastIndex, 0L), (own.Result.Outcome, own.Result.Token, own.WaitIndex));
        Assert.Equal(2, _group.Effects.WaitsEnded.Count);
    }

    [Fact]
    public void An_upgrade_of_the_only_holder_is_granted_at_once_with_a_new_token()
    {
        long shared = _group.Acquire(_a, Group.Shared("x")).Result.Token;
        _group.Acquire(_b, Group.Exclusive("x", Group.Unbounded));

        CommandResult upgraded = _group.Acquire(_a, Group.Upgrade("x")).Result;

        Assert.Equal((Outcome.Granted, _group.LastIndex, _group.LastIndex), (upgraded.Outcome, upgraded.Token, upgraded.Floor));
        Assert.True(upgraded.Token > shared);
        Assert.False(Assert.Single(_group.Lock("x")!.Holders).Shared);
    }

    [Fact]
    public void An_upgrade_waits_at_the_head_of_the_queue_and_a_second_one_is_refused_by_name()
    {
        _group.Acquire(_a, Group.Shared("x"));
        _group.Acquire(_b, Group.Shared("x"));
        _group.Acquire(_c, Group.Exclusive("x", Group.Unbounded));
        _group.Acquire(_a, Group.Upgrade("x", Group.Unbounded));
        long upgrade = _group.LastIndex;

        Group.IsRefused(_group.Acquire(_b, Group.Upgrade("x", Group.Unbounded)), ErrorCode.UpgradeInProgress);

        _group.Release(_b, "x");
        _group.WaitEnded(upgrade, Outcome.Granted, _group.LastIndex);
    }

    [Fact]
    public void Only_a_shared_holder_upgrades()
    {
        Group.IsRefused(_group.Acquire(_a, Group.Upgrade("x")), ErrorCode.LockNotHeld);
        long token = _group.Acquire(_a, "x").Result.Token;

        ApplyResult again = _group.Acquire(_a, Group.Upgrade("x"));

        Group.IsRefused(again, ErrorCode.LockAlreadyHeld);
        Assert.Equal(token, again.Result.Token);
    }

    [Fact]
    public void An_upgrade_ends_with_the_holding_that_it_upgrades()
    {
        _group.Acquire(_a, Group.Shared("x"));
        _group.Acquire(_b, Group.Shared("x"));
        _group.Acquire(_a, Group.Upgrade("x", Group.Unbounded));
        long upgrade = _group.LastIndex;

        _group.Release(_a, "x");

        _group.WaitEnded(upgrade, Outcome.None, error: ErrorCode.LockNotHeld);
    }

    [Fact]
    public void A_cancelled_upgrade_that_was_granted_first_leaves_the_lock_shared_and_known_by_its_old_token()
    {
        long shared = _group.Acquire(_a, Group.Shared("x")).Result.Token;
        long upgraded = _group.Acquire(_a, Group.Upgrade("x"), request: 2).Result.Token;

        Group.IsCancelled(_group.Cancel(_a, target: 2, release: true), upgraded);
        Group.IsCancelled(_group.Cancel(_a, target: 2, release: true), upgraded);

        Assert.True(Assert.Single(_group.Lock("x")!.Holders).Shared);
        Assert.Equal(Outcome.Released, _group.Release(_a, "x", shared).Result.Outcome);
        Assert.Null(_group.Lock("x"));
    }

    [Fact]
    public void A_downgrade_keeps_the_token_and_lets_shared_waiters_in()
    {
        long token = _group.Acquire(_a, "x").Result.Token;
        _group.Acquire(_b, Group.Shared("x", Group.Unbounded));
        long wait = _group.LastIndex;

        ApplyResult downgraded = Downgrade(_a, "x");

        Assert.Equal((Outcome.Done, token), (downgraded.Result.Outcome, downgraded.Result.Token));
        _group.WaitEnded(wait, Outcome.Granted, _group.LastIndex);
        Assert.Equal(token, _group.Effects.WaitsEnded[0].Result.Floor);
        Group.IsRefused(Downgrade(_c, "x"), ErrorCode.LockNotHeld);
    }

    [Fact]
    public void A_lock_is_entered_again_only_if_asked_for_and_left_as_often()
    {
        long token = _group.Acquire(_a, "x").Result.Token;
        Group.IsRefused(_group.Acquire(_a, "x"), ErrorCode.LockAlreadyHeld);

        CommandResult again = _group.Acquire(_a, new AcquireLock { Name = "x", Reentrant = true }).Result;
        Assert.Equal((Outcome.Granted, token, 2), (again.Outcome, again.Token, again.Holds));

        Assert.Equal(1, _group.Release(_a, "x", token).Result.Holds);
        Assert.Equal(_a, _group.HolderOf("x"));
        Assert.Equal(0, _group.Release(_a, "x", token).Result.Holds);
        Assert.Null(_group.Lock("x"));
    }

    [Fact]
    public void A_cancelled_re_entry_is_given_back_once_however_often_it_is_cancelled()
    {
        long token = _group.Acquire(_a, "x", request: 1).Result.Token;
        _group.Acquire(_a, new AcquireLock { Name = "x", Reentrant = true }, request: 2);

        Group.IsCancelled(_group.Cancel(_a, target: 2, release: true), token);
        Group.IsCancelled(_group.Cancel(_a, target: 2, release: true), token);

        Assert.Equal(1, Assert.Single(_group.Lock("x")!.Holders).Holds);
    }

    [Fact]
    public void A_shared_holding_is_not_entered_exclusively()
    {
        _group.Acquire(_a, Group.Shared("x"));

        Group.IsRefused(
            _group.Acquire(_a, new AcquireLock { Name = "x", Reentrant = true }), ErrorCode.LockAlreadyHeld);
    }

    private ApplyResult Downgrade(long session, string name) =>
        _group.Apply(new Command { SessionId = session, DowngradeLock = new DowngradeLock { Name = name } });
}
