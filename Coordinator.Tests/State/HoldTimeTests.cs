using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>Maximum hold, lock delay, and what an operator can do about a holder.</summary>
public sealed class HoldTimeTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;

    public HoldTimeTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
    }

    [Fact]
    public void A_maximum_hold_counts_from_the_grant_and_ends_the_holding_in_the_log()
    {
        _group.Acquire(_b, "x");
        _group.Acquire(_a, new AcquireLock { Name = "x", WaitUs = Group.Unbounded, MaxHoldUs = 2 * Group.Second });
        _group.Release(_b, "x", stamp: 3 * Group.Second);
        long token = _group.LastIndex;

        _group.Advance(5 * Group.Second - 1);
        Assert.Equal(_a, _group.HolderOf("x"));

        _group.Advance(5 * Group.Second);
        Assert.Null(_group.Lock("x"));
        HoldingEnded ended = Assert.Single(_group.Effects.HoldingsEnded);
        Assert.Equal(("x", _a, token, HoldingEndReason.MaxHoldPassed), (ended.Name, ended.SessionId, ended.Token, ended.Reason));
        Group.IsRefused(_group.Release(_a, "x", token), ErrorCode.LockNotHeld);
    }

    [Fact]
    public void After_a_holder_s_death_nobody_is_granted_for_the_delay()
    {
        long dying = _group.Create(ttl: Group.Second);
        _group.Acquire(dying, new AcquireLock { Name = "x", LockDelayUs = 5 * Group.Second });
        _group.Acquire(_a, "x", Group.Unbounded);
        long wait = _group.LastIndex;

        _group.Advance(Group.Second);
        Assert.Empty(_group.Effects.WaitsEnded);
        Assert.Equal(5 * Group.Second, _group.Lock("x")!.DelayUs);
        Group.IsRefused(_group.Acquire(_b, "x"), ErrorCode.LockNotAcquired);

        _group.Advance(6 * Group.Second - 1);
        Assert.Empty(_group.Effects.WaitsEnded);
        _group.Advance(6 * Group.Second);
        _group.WaitEnded(wait, Outcome.Granted, _group.LastIndex);
    }

    [Fact]
    public void A_release_and_a_closed_session_delay_nobody()
    {
        _group.Acquire(_a, new AcquireLock { Name = "x", LockDelayUs = 5 * Group.Second });
        _group.Release(_a, "x");
        Group.IsGranted(_group.Acquire(_b, new AcquireLock { Name = "x", LockDelayUs = 5 * Group.Second }), _group.LastIndex);

        _group.End(_b);

        Group.IsGranted(_group.Acquire(_a, "x"), _group.LastIndex);
    }

    [Fact]
    public void A_delay_that_nobody_waits_for_is_forgotten_when_it_is_over()
    {
        long dying = _group.Create(ttl: Group.Second);
        _group.Acquire(dying, new AcquireLock { Name = "x", LockDelayUs = Group.Second });
        _group.Advance(Group.Second);
        Assert.NotNull(_group.Lock("x"));

        _group.Advance(2 * Group.Second);

        Assert.Null(_group.Lock("x"));
    }

    [Theory]
    [InlineData(86_400, 60, ErrorCode.Ok)]
    [InlineData(86_401, 0, ErrorCode.InvalidHoldTime)]
    [InlineData(0, 61, ErrorCode.InvalidHoldTime)]
    [InlineData(-1, 0, ErrorCode.InvalidHoldTime)]
    [InlineData(0, -1, ErrorCode.InvalidHoldTime)]
    public void Times_have_limits(int maxHoldSeconds, int delaySeconds, ErrorCode expected) => Assert.Equal(
        expected,
        _group.Acquire(_a, new AcquireLock
        {
            Name = "x",
            MaxHoldUs = maxHoldSeconds * Group.Second,
            LockDelayUs = delaySeconds * Group.Second,
        }).Result.Error);

    [Fact]
    public void A_forced_release_hands_on_and_is_kept_with_its_reason()
    {
        long token = _group.Acquire(_a, new AcquireLock { Name = "x", Label = "job 7" }).Result.Token;
        _group.Acquire(_b, "x", Group.Unbounded);
        long wait = _group.LastIndex;

        ApplyResult forced = Force("x", "stuck since Monday");

        Assert.Equal(Outcome.Done, forced.Result.Outcome);
        _group.WaitEnded(wait, Outcome.Granted, _group.LastIndex);
        Assert.Equal(HoldingEndReason.Forced, Assert.Single(_group.Effects.HoldingsEnded).Reason);
        ForcedRelease record = Assert.Single(Audit().ForcedReleases);
        Assert.Equal(
            (1L, "x", _a, token, "job 7", "ops", "stuck since Monday"),
            (record.Number, record.Name, record.SessionId, record.Token, record.Label, record.Caller, record.Reason));
        Group.IsRefused(Force("nothing", ""), ErrorCode.LockNotFound);
    }

    [Fact]
    public void The_audit_list_keeps_the_last_ones_and_their_numbers()
    {
        var group = new Group(new StateSettings { ForcedReleasesKept = 2 });
        long session = group.Create();
        foreach (string name in (string[])["x", "y", "z"])
        {
            group.Acquire(session, name);
            group.Apply(new Command { ForceRelease = new ForceRelease { Name = name } });
        }

        QueryAnswer all = group.Copy().State.Query(new Query { ListForcedReleases = new ListForcedReleases() });
        Assert.Equal([(2L, "y"), (3L, "z")], all.ForcedReleases.Select(record => (record.Number, record.Name)));
        QueryAnswer page = group.State.Query(new Query { ListForcedReleases = new ListForcedReleases { Limit = 1 } });
        Assert.True(page.More);
        QueryAnswer rest = group.State.Query(new Query { ListForcedReleases = new ListForcedReleases { AfterNumber = 2 } });
        Assert.Equal([3L], rest.ForcedReleases.Select(record => record.Number));
    }

    [Fact]
    public void A_holder_who_is_asked_to_let_go_hears_of_it_and_goes_on_holding()
    {
        long token = _group.Acquire(_a, "x").Result.Token;

        _group.Apply(new Command { RequestRelease = new RequestRelease { Name = "x", Reason = "a deployment waits" } });

        Assert.Equal(
            [new ReleaseRequested(HoldingKind.Lock, "x", _a, token, "a deployment waits")], _group.Effects.ReleasesRequested);
        LockHolder holder = Assert.Single(_group.Copy().Lock("x")!.Holders);
        Assert.Equal((true, "a deployment waits"), (holder.ReleaseRequested, holder.ReleaseReason));
        Assert.Equal(_a, holder.SessionId);
    }

    private ApplyResult Force(string name, string reason) => _group.Apply(new Command
    {
        Caller = "ops",
        ForceRelease = new ForceRelease { Name = name, Reason = reason },
    });

    private QueryAnswer Audit() => _group.State.Query(new Query { ListForcedReleases = new ListForcedReleases() });
}
