using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>Taking a place: at once, or in line.</summary>
internal sealed partial class HoldingTable
{
    public OperationResult Acquire(Session session, AcquireLock acquire, long requestId, in ApplyContext context)
    {
        Claim claim = MakeClaim(session, acquire, requestId, context);
        if (acquire.Upgrade && UpgradeRefusal(session, claim.Parts[0].Resource) is { } noUpgrade)
            return noUpgrade;
        for (int i = 0; i < claim.Parts.Count; i++)
        {
            ClaimPart part = claim.Parts[i];
            // Several holdings of one semaphore are several permits; of a lock there is one for each session.
            if (part.Mode != HoldingMode.Permits && !acquire.Upgrade && OwnClaimTo(part, acquire, requestId) is { } own)
                return own;
            if (!part.Resource.IsIdle && part.Resource.Limit != LimitOf(acquire, i))
                return OperationResult.Refused(ErrorCode.LimitMismatch);
        }
        if (session.ResourceCount + claim.Parts.Count > settings.HoldingsPerSession)
            return OperationResult.Refused(ErrorCode.TooManyHoldings);

        bool isFree = IsFree(claim);
        if (!isFree && LineRefusal(claim, acquire) is { } refused)
            return refused;
        for (int i = 0; i < claim.Parts.Count; i++)
            Adopt(claim.Parts[i].Resource, LimitOf(acquire, i));
        if (isFree)
            return Grant(claim, context);
        Enqueue(claim);
        return OperationResult.Queued;
    }

    private Claim MakeClaim(Session session, AcquireLock acquire, long requestId, in ApplyContext context)
    {
        var claim = new Claim(context.Index, session)
        {
            RequestId = requestId,
            Label = acquire.Label,
            TraceId = acquire.TraceId,
            Value = acquire.Value,
            MaxHoldUs = acquire.MaxHoldUs,
            LockDelayUs = acquire.LockDelayUs,
            IsUpgrade = acquire.Upgrade,
            IsConcurrent = acquire.Concurrent,
            SinceUs = context.LogTimeUs,
            DueUs = acquire.WaitUs > 0 ? ApplyContext.After(context.LogTimeUs, acquire.WaitUs) : long.MaxValue,
        };
        claim.Parts.Add(MakePart(claim, acquire.Kind, acquire.Name, acquire.Shared, acquire.Permits));
        foreach (AlsoAcquire also in acquire.Also)
            claim.Parts.Add(MakePart(claim, also.Kind, also.Name, also.Shared, also.Permits));
        return claim;
    }

    // A resource that nobody wanted so far is remembered once it is certain that somebody does.
    private ClaimPart MakePart(Claim claim, HoldingKind kind, string name, bool isShared, int permits) => new(
        claim,
        Find(kind, name) ?? new Resource(kind, name),
        kind == HoldingKind.Semaphore ? HoldingMode.Permits : isShared ? HoldingMode.Shared : HoldingMode.Exclusive,
        permits);

    private static int LimitOf(AcquireLock acquire, int part) => part == 0 ? acquire.Limit : acquire.Also[part - 1].Limit;

    private void Adopt(Resource resource, int limit)
    {
        if (Find(resource.Kind, resource.Name) is null)
            Of(resource.Kind).Add(resource.Name, resource);
        if (resource.IsIdle)
            resource.Limit = limit;
    }

    /// <summary>What the session's own claim to the lock says about another one; null: it has none.</summary>
    private OperationResult? OwnClaimTo(ClaimPart part, AcquireLock acquire, long requestId)
    {
        if (part.Claim.Session!.FirstHoldingOf(part.Resource) is { } held)
        {
            bool isEnough = held.Mode == HoldingMode.Exclusive || part.Mode == HoldingMode.Shared;
            return acquire.Reentrant && isEnough ? Reenter(held, requestId) : AlreadyHeld(held);
        }
        // A second place in the queue could only ever be granted to a session that has just released the lock: refused,
        // like a second holding. A repeat of the waiting request itself has been recognised by its id before.
        return part.Claim.Session.WaitsFor(part.Resource) ? OperationResult.Refused(ErrorCode.LockAlreadyHeld) : null;
    }

    private OperationResult Reenter(ClaimPart held, long requestId)
    {
        if (held.Holds >= settings.ReentriesPerHolding)
            return OperationResult.Refused(ErrorCode.TooManyReentries);
        (held.Reentries ??= []).Add(requestId);
        return Entered(held);
    }

    private static OperationResult Entered(ClaimPart held) =>
        new(ErrorCode.Ok, Outcome.Granted, held.Claim.Token, held.Floor, Holds: held.Holds);

    private static OperationResult AlreadyHeld(ClaimPart held) =>
        OperationResult.Refused(ErrorCode.LockAlreadyHeld) with { Token = held.Claim.Token, Floor = held.Floor };

    private bool IsFree(Claim claim)
    {
        if (_heldBack is not null)
            return false;
        foreach (ClaimPart part in claim.Parts)
        {
            bool passesQueue = claim.IsUpgrade
                || part.Resource.Queue.Count == 0
                || (_planted == SeededBug.SharedPassesQueue && part.Mode == HoldingMode.Shared);
            bool fits = part.Mode != HoldingMode.Permits || !part.Resource.IsIdle
                ? part.Resource.HasRoomFor(part)
                : part.Resource.Delay is null || _planted == SeededBug.LockDelayIgnored;
            if (!passesQueue || !fits)
                return false;
        }
        return true;
    }

    /// <summary>Why the claim may not stand in line; null: it may.</summary>
    private OperationResult? LineRefusal(Claim claim, AcquireLock acquire)
    {
        if (acquire.WaitUs == 0)
            return NotGranted;
        foreach (ClaimPart part in claim.Parts)
        {
            if (part.Resource.Queue.Count >= settings.WaitersPerResource)
                return OperationResult.Refused(ErrorCode.TooManyWaiters);
        }
        return _planted != SeededBug.DeadlocksUnseen && WaitGraph.ClosesCycle(claim)
            ? OperationResult.Refused(ErrorCode.DeadlockDetected)
            : null;
    }

    private static OperationResult? UpgradeRefusal(Session session, Resource resource)
    {
        if (session.FirstHoldingOf(resource) is not { } held)
            return OperationResult.Refused(ErrorCode.LockNotHeld);
        if (held.Mode == HoldingMode.Exclusive)
            return AlreadyHeld(held);
        return resource.Queue.First is { Value.Claim.IsUpgrade: true }
            ? OperationResult.Refused(ErrorCode.UpgradeInProgress)
            : null;
    }

    // The shared holding becomes the exclusive one: a new token (rule 18), entered as often.
    private void ReplaceUpgraded(Claim upgrade, in ApplyContext context)
    {
        ClaimPart part = upgrade.Parts[0];
        ClaimPart shared = upgrade.Session!.FirstHoldingOf(part.Resource)
            ?? throw new InvalidOperationException(
                $"Entry {context.Index} upgrades '{part.Resource.Name}', which session {upgrade.Session.Id} does not hold.");
        part.Reentries = shared.Reentries;
        upgrade.UpgradedFrom = shared.Claim.Token;
        TakeOut(shared);
    }
}
