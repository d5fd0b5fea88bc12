using System.Security.Cryptography;
using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Client;

/// <summary>
/// Leases: exclusive, with a time to live of their own instead of a session's; granted at once or not at all. The name's
/// fencing token is the lease's id: whoever knows both can renew and release it, in another process too.
/// </summary>
public class CoordinatorLeases : CoordinatorHoldings
{
    internal CoordinatorLeases(ClientGroups groups) : base(groups, HoldingKind.Lease)
    {
    }

    protected CoordinatorLeases()
    {
    }

    /// <summary>Takes the lease <paramref name="name"/>.</summary>
    /// <param name="owner">The holder's own words, shown in descriptions: at most 1 KiB.</param>
    /// <param name="ttl">How long it lives after each renewal: 0.5 s to 1 day.</param>
    /// <param name="renews">
    /// The client renews it until it is released. False: <see cref="LeaseHandle.RenewAsync"/> is the caller's business.
    /// </param>
    /// <param name="lockDelay">If it expires, nobody gets the name for so long: at most 1 minute.</param>
    /// <param name="cancellationToken">Ends the wait for the answer; should it have been granted, it is given back.</param>
    /// <exception cref="LockNotAcquiredException">Somebody else has it.</exception>
    /// <exception cref="CoordinatorTimeoutException">The cluster can't be reached.</exception>
    /// <exception cref="CoordinatorException">The cluster refused.</exception>
    public virtual async Task<LeaseHandle> AcquireAsync(
        string name, string owner, TimeSpan ttl, bool renews = true, TimeSpan lockDelay = default,
        CancellationToken cancellationToken = default) =>
        await TryAcquireAsync(name, owner, ttl, renews, lockDelay, cancellationToken).ConfigureAwait(false)
        ?? throw await NotAcquiredAsync([name], TimeSpan.Zero, cancellationToken).ConfigureAwait(false);

    /// <summary>As <see cref="AcquireAsync"/>, but null if somebody else has it.</summary>
    public virtual async Task<LeaseHandle?> TryAcquireAsync(
        string name, string owner, TimeSpan ttl, bool renews = true, TimeSpan lockDelay = default,
        CancellationToken cancellationToken = default)
    {
        Acquires.CheckName(name);
        ArgumentNullException.ThrowIfNull(owner);
        while (true)
        {
            AcquireLease acquire = new()
            {
                Name = name,
                Owner = owner,
                TtlUs = (long)ttl.TotalMicroseconds,
                LockDelayUs = (long)lockDelay.TotalMicroseconds,
                TraceId = AcquireOptions.CurrentTraceId,
                Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(CommandRules.NonceBytes)),
            };
            if (CommandRules.Check(new Command { AcquireLease = acquire }) is { } wrong)
                throw new ArgumentException(wrong.Message, wrong.Code == ErrorCode.InvalidTtl ? nameof(ttl) : null);
            Completion completion = await Groups
                .RunAsync(new AcquireLeaseOperation(acquire, renews), Scope.Of(name), cancellationToken).ConfigureAwait(false);
            if (completion is not Completion.Leased leased)
                return null;
            LeaseHandle handle = new(Groups.Of(name), leased.Lease);
            // This process may have been stopped between the grant and here: what is lost is not handed out.
            if (!handle.LostToken.IsCancellationRequested)
                return handle;
        }
    }

    /// <summary>Renews a lease of which only the id is known.</summary>
    /// <param name="leaseId">Its fencing token.</param>
    /// <returns>
    /// Its time to live: it lives at least so long after this call began. Safe to repeat.
    /// </returns>
    /// <exception cref="CoordinatorException"><see cref="ErrorCode.LeaseNotFound"/>: it is over.</exception>
    public virtual async Task<TimeSpan> RenewAsync(string name, long leaseId, CancellationToken cancellationToken = default)
    {
        CheckLease(name, leaseId);
        CommandResult result = await Groups.ExecuteAsync(
            new RenewLeaseOperation(name, leaseId, null), Scope.Of(name), cancellationToken).ConfigureAwait(false);
        return TimeSpan.FromMicroseconds(result.TtlUs);
    }

    /// <summary>Releases a lease of which only the id is known.</summary>
    /// <param name="leaseId">Its fencing token.</param>
    /// <returns>False if it was over. Safe to repeat.</returns>
    public virtual async Task<bool> ReleaseAsync(string name, long leaseId, CancellationToken cancellationToken = default)
    {
        CheckLease(name, leaseId);
        CommandResult result = await Groups.ExecuteAsync(
            new ReleaseLeaseOperation(name, leaseId, null), Scope.Of(name), cancellationToken, ErrorCode.LeaseNotFound)
            .ConfigureAwait(false);
        return result.Error == ErrorCode.Ok;
    }

    private static void CheckLease(string name, long leaseId)
    {
        Acquires.CheckName(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(leaseId);
    }
}
