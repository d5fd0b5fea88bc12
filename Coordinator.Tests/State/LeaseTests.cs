using Coordinator.Contracts;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

public sealed class LeaseTests
{
    private readonly Group _group = new();

    [Fact]
    public void A_lease_is_granted_without_a_session_under_an_id_that_is_its_token()
    {
        CommandResult lease = Acquire("l", "job-7").Result;

        Assert.Equal((Outcome.Granted, _group.LastIndex, 10 * Group.Second), (lease.Outcome, lease.Token, lease.TtlUs));
        LockHolder holder = Assert.Single(_group.Info(HoldingKind.Lease, "l")!.Holders);
        Assert.Equal((0L, "job-7", 10 * Group.Second), (holder.SessionId, holder.Label, holder.RemainingUs));
        Group.IsRefused(Acquire("l", "job-7"), ErrorCode.LockNotAcquired);
    }

    [Fact]
    public void A_lease_that_nobody_renews_ends_in_log_time_and_a_renewed_one_goes_on()
    {
        long id = Acquire("l", "job").Result.Token;
        Assert.Equal(Outcome.Done, Renew("l", id, stamp: 4 * Group.Second).Result.Outcome);

        _group.Advance(14 * Group.Second - 1);
        Assert.NotNull(_group.Info(HoldingKind.Lease, "l"));

        _group.Advance(14 * Group.Second);
        Assert.Null(_group.Info(HoldingKind.Lease, "l"));
        Assert.Equal(
            [new HoldingEnded(HoldingKind.Lease, "l", id, 0, 0, id, HoldingEndReason.LeaseExpired)],
            _group.Effects.HoldingsEnded);
        Group.IsRefused(Renew("l", id), ErrorCode.LeaseNotFound);
    }

    [Fact]
    public void A_released_lease_is_free_and_its_id_is_no_key_to_the_next_one()
    {
        long id = Acquire("l", "job").Result.Token;
        Assert.Equal(Outcome.Released, Release("l", id).Result.Outcome);
        long next = Acquire("l", "job").Result.Token;

        Assert.True(next > id);
        Group.IsRefused(Release("l", id), ErrorCode.LeaseNotFound);
        Group.IsRefused(Renew("l", id), ErrorCode.LeaseNotFound);
    }

    [Fact]
    public void A_repeat_with_the_nonce_gets_the_same_lease_renewed_as_long_as_it_lives()
    {
        byte[] nonce = [.. Enumerable.Repeat((byte)7, 16)];
        long id = Acquire("l", "job", nonce).Result.Token;

        Group copy = _group.Copy();
        CommandResult again = Acquire(copy, "l", "job", nonce, stamp: 6 * Group.Second).Result;
        Assert.Equal((Outcome.Granted, id), (again.Outcome, again.Token));
        Assert.Equal(16 * Group.Second, copy.State.NextDueUs);
        Group.IsRefused(Acquire(copy, "other", "job", nonce), ErrorCode.RequestMismatch);

        copy.Advance(16 * Group.Second);
        Assert.Equal(copy.LastIndex + 1, Acquire(copy, "l", "job", nonce).Result.Token);
    }

    [Fact]
    public void One_lease_too_many_is_refused_until_another_one_ends()
    {
        var group = new Group(new StateSettings { LeasesMax = 2 });
        long first = Acquire(group, "a", "job").Result.Token;
        Acquire(group, "b", "job");

        Group.IsRefused(Acquire(group, "c", "job"), ErrorCode.TooManyLeases);

        group.Apply(new Command { ReleaseLease = new ReleaseLease { Name = "a", LeaseId = first } });
        Assert.Equal(Outcome.Granted, Acquire(group, "c", "job").Result.Outcome);
    }

    [Fact]
    public void A_lease_that_expired_keeps_everybody_out_for_its_delay()
    {
        _group.Apply(new Command
        {
            AcquireLease = new AcquireLease { Name = "l", TtlUs = Group.Second, LockDelayUs = 3 * Group.Second },
        });
        _group.Advance(Group.Second);
        Group.IsRefused(Acquire("l", "next"), ErrorCode.LockNotAcquired);

        _group.Advance(4 * Group.Second);
        Assert.Equal(Outcome.Granted, Acquire("l", "next").Result.Outcome);
    }

    private ApplyResult Acquire(string name, string owner, byte[]? nonce = null) => Acquire(_group, name, owner, nonce);

    private static ApplyResult Acquire(Group group, string name, string owner, byte[]? nonce = null, long stamp = 0) => group.Apply(
        new Command
        {
            AcquireLease = new AcquireLease
            {
                Name = name,
                Owner = owner,
                TtlUs = 10 * Group.Second,
                Nonce = ByteString.CopyFrom(nonce ?? []),
            },
        },
        stamp);

    private ApplyResult Renew(string name, long id, long stamp = 0) =>
        _group.Apply(new Command { RenewLease = new RenewLease { Name = name, LeaseId = id } }, stamp);

    private ApplyResult Release(string name, long id) =>
        _group.Apply(new Command { ReleaseLease = new ReleaseLease { Name = name, LeaseId = id } });
}
