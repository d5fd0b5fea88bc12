using System.Buffers.Binary;
using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>Leases: holdings with a TTL of their own. A lease's id is its token; nobody stands in line for one.</summary>
internal sealed partial class HoldingTable
{
    private readonly SortedBlocks<UInt128, Claim, UInt128Order> _leasesByNonce = new();

    public int LeaseCount { get; private set; }

    public bool KnowsLeaseNonce(UInt128 nonce) => _leasesByNonce.TryGet(nonce, out _);

    /// <summary>
    /// A new lease, or with the nonce of a live one that one again, renewed: its owner counts the TTL from when it sent
    /// this request, not the first.
    /// </summary>
    public ApplyResult AcquireLease(AcquireLease acquire, in ApplyContext context)
    {
        UInt128? nonce = acquire.Nonce.IsEmpty ? null : BinaryPrimitives.ReadUInt128BigEndian(acquire.Nonce.Span);
        if (nonce is { } known && _leasesByNonce.TryGet(known, out Claim? live))
        {
            return live.Parts[0].Resource.Name == acquire.Name && live.Label == acquire.Owner
                ? Renewed(live, Outcome.Granted, context)
                : OperationResult.Refused(ErrorCode.RequestMismatch).ToApplyResult();
        }
        var claim = new Claim(context.Index, session: null)
        {
            Label = acquire.Owner,
            TraceId = acquire.TraceId,
            LockDelayUs = acquire.LockDelayUs,
            Lease = new LeaseTerms(acquire.TtlUs, nonce),
        };
        ClaimPart part = MakePart(claim, HoldingKind.Lease, acquire.Name, isShared: false, permits: 0);
        claim.Parts.Add(part);
        if (_heldBack is not null || !part.Resource.HasRoomFor(part))
            return NotGranted.ToApplyResult();
        if (LeaseCount >= settings.LeasesMax)
            return OperationResult.Refused(ErrorCode.TooManyLeases).ToApplyResult();
        Adopt(part.Resource, limit: 0);
        Remember(claim);
        return WithTtl(claim, Grant(claim, context));
    }

    public ApplyResult RenewLease(RenewLease renew, in ApplyContext context) =>
        FindLease(renew.Name, renew.LeaseId) is { } lease
            ? Renewed(lease, Outcome.Done, context)
            : OperationResult.Refused(ErrorCode.LeaseNotFound).ToApplyResult();

    public ApplyResult ReleaseLease(ReleaseLease release, in ApplyContext context)
    {
        if (FindLease(release.Name, release.LeaseId) is not { } lease)
            return OperationResult.Refused(ErrorCode.LeaseNotFound).ToApplyResult();
        EndHolding(lease, context);
        return new OperationResult(ErrorCode.Ok, Outcome.Released, lease.Token).ToApplyResult();
    }

    private Claim? FindLease(string name, long leaseId) =>
        Find(HoldingKind.Lease, name)?.Holders.First?.Value.Claim is { } lease && lease.Token == leaseId ? lease : null;

    private ApplyResult Renewed(Claim lease, Outcome outcome, in ApplyContext context)
    {
        long deadline = ApplyContext.After(context.LogTimeUs, lease.Lease!.TtlUs);
        if (_planted != SeededBug.LeaseNotRenewed)
            due.Postpone(lease, deadline);
        return WithTtl(lease, new OperationResult(ErrorCode.Ok, outcome, lease.Token, lease.Parts[0].Floor));
    }

    private static ApplyResult WithTtl(Claim lease, OperationResult result)
    {
        CommandResult told = result.ToCommandResult();
        told.TtlUs = lease.Lease!.TtlUs;
        return new ApplyResult(told, 0);
    }

    private void Remember(Claim lease)
    {
        LeaseCount++;
        if (lease.Lease!.Nonce is { } nonce)
            _leasesByNonce.Add(nonce, lease);
    }

    private void Forget(LeaseTerms? terms)
    {
        if (terms is null)
            return;
        LeaseCount--;
        if (terms.Nonce is { } nonce)
            _leasesByNonce.Remove(nonce);
    }
}
