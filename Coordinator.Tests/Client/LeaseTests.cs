using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Client;

/// <summary>Leases: outside any session, safe to repeat, with a deadline of their own (rule 13).</summary>
public sealed class LeaseTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(10);
    private readonly MachineHost _host = new();

    [Fact]
    public void A_lease_is_asked_for_without_a_session_and_counts_from_the_sending()
    {
        object caller = _host.Submit(Acquire());
        _host.Connect();
        ClientFrame frame = _host.Take(Command.OperationOneofCase.AcquireLease);
        Assert.Equal((0, 0), (frame.Command.SessionId, frame.Command.RequestId));
        _host.Pass(TimeSpan.FromSeconds(1));
        _host.Answer(frame, Outcome.Granted, 42);

        Lease lease = Assert.IsType<Completion.Leased>(_host.Completed[caller]).Lease;

        Assert.Equal(42, lease.Id);
        Assert.Equal(MachineHost.Validity - TimeSpan.FromSeconds(1), lease.Lifetime.Remaining(_host.Now));
    }

    [Fact]
    public void It_is_renewed_after_a_third_of_its_life_and_counts_from_the_renewals_sending()
    {
        Lease lease = Grant();
        _host.PassTicking(MachineHost.Validity / 3);
        ClientFrame renewal = _host.Take(Command.OperationOneofCase.RenewLease);
        Assert.Equal(42, renewal.Command.RenewLease.LeaseId);
        _host.Pass(TimeSpan.FromSeconds(1));
        _host.Answer(renewal, Outcome.Done);

        Assert.Equal(MachineHost.Validity - TimeSpan.FromSeconds(1), lease.Lifetime.Remaining(_host.Now));
    }

    [Fact]
    public void Without_an_answer_it_is_lost_at_its_deadline()
    {
        Lease lease = Grant(isRenewed: false);
        _host.PassTicking(MachineHost.Validity - TimeSpan.FromMilliseconds(1));
        Assert.Empty(_host.LostLeases);
        _host.PassTicking(TimeSpan.FromMilliseconds(1));
        Assert.Equal([lease], _host.LostLeases);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void A_sleep_that_only_the_wall_clock_saw_counts()
    {
        Lease lease = Grant();
        _host.Pass(TimeSpan.FromMilliseconds(1), MachineHost.Validity);
        Assert.Equal([lease], _host.LostLeases);
    }

    [Fact]
    public void A_renewal_is_repeated_over_connections_and_refused_it_ends_the_lease()
    {
        Lease lease = Grant();
        _host.PassTicking(MachineHost.Validity / 3);
        _host.Take(Command.OperationOneofCase.RenewLease);
        _host.Disconnect();
        _host.Connect();
        ClientFrame again = _host.Take(Command.OperationOneofCase.RenewLease);
        _host.Answer(again, ErrorCode.NoQuorum);
        _host.Pass(TimeSpan.FromMilliseconds(100));
        again = _host.Take(Command.OperationOneofCase.RenewLease);
        _host.Answer(again, ErrorCode.LeaseNotFound);

        Assert.Equal([lease], _host.LostLeases);
        _host.PassTicking(Ttl);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void An_acquire_is_repeated_with_the_same_nonce()
    {
        _host.Submit(Acquire());
        _host.Connect();
        ClientFrame first = _host.Take(Command.OperationOneofCase.AcquireLease);
        _host.Answer(first, ErrorCode.OutcomeUnknown);
        _host.Pass(TimeSpan.FromMilliseconds(100));
        Assert.Equal(first, _host.Take(Command.OperationOneofCase.AcquireLease));
    }

    [Fact]
    public void A_lease_that_nobody_waits_for_any_more_is_given_back()
    {
        AcquireLeaseOperation acquire = Acquire();
        object caller = _host.Submit(acquire);
        _host.Connect();
        ClientFrame frame = _host.Take(Command.OperationOneofCase.AcquireLease);
        _host.Cancel(acquire);
        Assert.IsType<Completion.Cancelled>(_host.Completed[caller]);

        _host.Answer(frame, Outcome.Granted, 42);

        Assert.Equal(42, _host.Take(Command.OperationOneofCase.ReleaseLease).Command.ReleaseLease.LeaseId);
    }

    [Fact]
    public void A_name_that_is_taken_is_not_acquired()
    {
        object caller = _host.Submit(Acquire());
        _host.Connect();
        _host.Answer(_host.Take(), new CommandResult { Outcome = Outcome.NotAcquired, Error = ErrorCode.LockNotAcquired });
        Assert.IsType<Completion.NotAcquired>(_host.Completed[caller]);
    }

    [Fact]
    public void A_release_ends_the_renewals_and_is_never_a_loss()
    {
        Lease lease = Grant();
        _host.PassTicking(MachineHost.Validity / 3);
        ClientFrame renewal = _host.Take(Command.OperationOneofCase.RenewLease);
        object caller = _host.Submit(new ReleaseLeaseOperation("l", 42, lease));
        ClientFrame release = _host.Take(Command.OperationOneofCase.ReleaseLease);
        _host.Answer(release, Outcome.Released);
        _host.Answer(renewal, ErrorCode.LeaseNotFound);
        _host.PassTicking(Ttl);

        Assert.True(_host.Completed.ContainsKey(caller));
        Assert.Empty(_host.LostLeases);
        Assert.Empty(_host.Sent);
    }

    [Fact]
    public void A_client_that_stops_gives_its_leases_back()
    {
        Lease lease = Grant();
        _host.Shutdown();
        Assert.Equal([lease], _host.LostLeases);
        ClientFrame release = _host.Take(Command.OperationOneofCase.ReleaseLease);
        Assert.False(_host.IsStopped);
        _host.Answer(release, Outcome.Released);
        Assert.True(_host.IsStopped);
    }

    private static AcquireLeaseOperation Acquire(bool isRenewed = true) => new(
        new AcquireLease { Name = "l", Owner = "me", TtlUs = (long)Ttl.TotalMicroseconds, Nonce = ByteString.CopyFrom(new byte[16]) },
        isRenewed);

    private Lease Grant(bool isRenewed = true)
    {
        object caller = _host.Submit(Acquire(isRenewed));
        _host.Connect();
        _host.Answer(_host.Take(), Outcome.Granted, 42);
        return Assert.IsType<Completion.Leased>(_host.Completed[caller]).Lease;
    }
}
