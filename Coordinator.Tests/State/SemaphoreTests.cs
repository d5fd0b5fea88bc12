using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class SemaphoreTests
{
    private readonly Group _group = new();
    private readonly long _a;
    private readonly long _b;

    public SemaphoreTests()
    {
        _a = _group.Create(ttl: 60 * Group.Second);
        _b = _group.Create(ttl: 60 * Group.Second);
    }

    [Fact]
    public void Permits_are_granted_up_to_the_limit_and_one_more_is_refused()
    {
        long first = _group.Acquire(_a, Group.Permits("s", 2, of: 3)).Result.Token;
        CommandResult second = _group.Acquire(_b, Group.Permits("s", 1, of: 3)).Result;
        Assert.Equal((Outcome.Granted, first), (second.Outcome, second.Floor));

        Group.IsRefused(_group.Acquire(_b, Group.Permits("s", 1, of: 3)), ErrorCode.LockNotAcquired);
    }

    [Fact]
    public void A_small_request_never_jumps_a_large_one()
    {
        _group.Acquire(_a, Group.Permits("s", 2, of: 3));
        _group.Acquire(_b, Group.Permits("s", 3, of: 3, Group.Unbounded));
        long large = _group.LastIndex;
        long c = _group.Create();
        Group.IsRefused(_group.Acquire(c, Group.Permits("s", 1, of: 3)), ErrorCode.LockNotAcquired);
        _group.Acquire(c, Group.Permits("s", 1, of: 3, Group.Unbounded));

        ReleasePermits(_a);

        _group.WaitEnded(large, Outcome.Granted, _group.LastIndex);
    }

    [Fact]
    public void Another_limit_is_refused_while_anyone_holds_or_waits_and_taken_afterwards()
    {
        _group.Acquire(_a, Group.Permits("s", 1, of: 3));
        Group.IsRefused(_group.Acquire(_b, Group.Permits("s", 1, of: 4)), ErrorCode.LimitMismatch);

        ReleasePermits(_a);

        Group.IsGranted(_group.Acquire(_b, Group.Permits("s", 4, of: 4)), _group.LastIndex);
    }

    [Fact]
    public void One_session_holds_several_times_and_says_which_it_releases_if_they_differ()
    {
        _group.Acquire(_a, Group.Permits("s", 1, of: 4));
        _group.Acquire(_a, Group.Permits("s", 2, of: 4));

        Group.IsRefused(ReleasePermits(_a), ErrorCode.HoldingAmbiguous);
        Assert.Equal(Outcome.Released, ReleasePermits(_a, permits: 2).Result.Outcome);

        Assert.Equal(1, Assert.Single(_group.Info(HoldingKind.Semaphore, "s")!.Holders).Permits);
    }

    [Fact]
    public void Each_kind_has_its_own_name_space()
    {
        _group.Acquire(_a, "n");

        Group.IsGranted(_group.Acquire(_b, Group.Permits("n", 1, of: 1)), _group.LastIndex);
        Group.IsGranted(
            _group.Acquire(_b, new AcquireLock { Kind = HoldingKind.Election, Name = "n" }), _group.LastIndex);
        Assert.Equal(
            Outcome.Granted,
            _group.Apply(new Command { AcquireLease = new AcquireLease { Name = "n", TtlUs = Group.Second } }).Result.Outcome);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(1, Limits.PermitsMax + 1)]
    [InlineData(-1, -1)]
    public void Permits_that_cannot_be_are_refused_by_name(int permits, int limit) =>
        Group.IsRefused(_group.Acquire(_a, Group.Permits("s", permits, limit)), ErrorCode.InvalidPermits);

    [Fact]
    public void The_most_permits_are_granted() => Group.IsGranted(
        _group.Acquire(_a, Group.Permits("s", Limits.PermitsMax, Limits.PermitsMax)), _group.LastIndex);

    private ApplyResult ReleasePermits(long session, int permits = 0) => _group.Apply(new Command
    {
        SessionId = session,
        ReleaseLock = new ReleaseLock { Kind = HoldingKind.Semaphore, Name = "s", Permits = permits },
    });
}
