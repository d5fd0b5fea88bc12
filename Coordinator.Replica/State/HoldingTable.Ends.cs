using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>How holdings end, and what a holder's death leaves behind.</summary>
internal sealed partial class HoldingTable
{
    private void EndHolding(Claim claim, in ApplyContext context)
    {
        while (claim.Parts.Count > 0)
            EndPart(claim.Parts[0], context);
    }

    private void EndPart(ClaimPart part, in ApplyContext context)
    {
        Claim claim = part.Claim;
        TakeOut(part);
        Touch(part.Resource);
        NoteElection(part.Resource);
        // Who waits to upgrade has nothing left to upgrade, and no claim to the head of the queue.
        if (part.Mode == HoldingMode.Shared
            && part.Resource.Queue.First?.Value.Claim is { IsUpgrade: true } upgrade
            && ReferenceEquals(upgrade.Session, claim.Session))
        {
            EndWait(upgrade, OperationResult.Refused(ErrorCode.LockNotHeld), context);
        }
    }

    private void TakeOut(ClaimPart part)
    {
        Claim claim = part.Claim;
        part.Resource.Holders.Remove(part.Place);
        part.Resource.PermitsHeld -= part.Permits;
        claim.Parts.Remove(part);
        if (claim.Session is { } session)
            session.ResourceCount--;
        if (claim.Parts.Count > 0)
            return;
        claim.Session?.Holdings.Remove(claim.InSession);
        due.Remove(claim);
        Forget(claim.Lease);
    }

    private void EndOverdueHolding(Claim claim, in ApplyContext context)
    {
        foreach (ClaimPart part in claim.Parts)
        {
            TellHoldingEnded(
                part, claim.Lease is null ? HoldingEndReason.MaxHoldPassed : HoldingEndReason.LeaseExpired, context);
        }
        if (claim.Lease is not null)
            KeepEverybodyOut(claim, context);
        EndHolding(claim, context);
    }

    private void KeepEverybodyOut(Claim claim, in ApplyContext context)
    {
        if (claim.LockDelayUs == 0)
            return;
        foreach (ClaimPart part in claim.Parts)
            Delay(part.Resource, ApplyContext.After(context.LogTimeUs, claim.LockDelayUs), context.Index);
    }

    private void Delay(Resource resource, long untilUs, long entryIndex)
    {
        if (resource.Delay is { } delay)
        {
            if (untilUs > delay.DueUs)
                due.Postpone(delay, untilUs);
            return;
        }
        resource.Delay = new LockDelay(resource, entryIndex) { DueUs = untilUs };
        due.Add(resource.Delay);
    }

    private void EndDelay(LockDelay delay)
    {
        due.Remove(delay);
        delay.Resource.Delay = null;
        Touch(delay.Resource);
    }
}
