using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// A request about a lease, which is outside any session. Safe to repeat, unlike others without a session (rule 15): an
/// acquire has a nonce of its own, a renewal and a release name the lease.
/// </summary>
internal abstract class LeaseOperation : Operation
{
    public abstract Command MakeCommand();
}

internal sealed class AcquireLeaseOperation(AcquireLease acquire, bool isRenewed) : LeaseOperation
{
    public string Name => acquire.Name;

    public TimeSpan Ttl => TimeSpan.FromMicroseconds(acquire.TtlUs);

    /// <summary>The machine is to renew the lease by itself.</summary>
    public bool IsRenewed => isRenewed;

    public override Command MakeCommand() => new() { AcquireLease = acquire };
}

/// <summary>Of <paramref name="lease"/>, or of one that only its caller knows.</summary>
internal sealed class RenewLeaseOperation(string name, long leaseId, Lease? lease) : LeaseOperation
{
    public Lease? Lease => lease;

    public override Command MakeCommand() => new() { RenewLease = new RenewLease { Name = name, LeaseId = leaseId } };
}

/// <inheritdoc cref="RenewLeaseOperation"/>
internal sealed class ReleaseLeaseOperation(string name, long leaseId, Lease? lease) : LeaseOperation
{
    public Lease? Lease => lease;

    public TimeSpan Ttl => lease?.Ttl ?? Limits.TtlMin;

    public override Command MakeCommand() => new() { ReleaseLease = new ReleaseLease { Name = name, LeaseId = leaseId } };
}
