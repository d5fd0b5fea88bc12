using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>Letting go: released, cancelled, downgraded, forced, asked for.</summary>
internal sealed partial class HoldingTable
{
    public OperationResult Release(Session session, ReleaseLock release, in ApplyContext context)
    {
        ClaimPart? held = FindHeld(session, release.Kind, release.Name, release.Token, release.Permits, out bool isAmbiguous);
        if (held is null)
            return OperationResult.Refused(isAmbiguous ? ErrorCode.HoldingAmbiguous : ErrorCode.LockNotHeld);
        var released = new OperationResult(ErrorCode.Ok, Outcome.Released, held.Claim.Token);
        if (held.Reentries is { Count: > 0 } reentries)
        {
            reentries.RemoveAt(reentries.Count - 1);
            return released with { Holds = held.Holds };
        }
        EndPart(held, context);
        return released;
    }

    public OperationResult Downgrade(Session session, DowngradeLock downgrade)
    {
        if (FindHeld(session, HoldingKind.Lock, downgrade.Name, downgrade.Token, 0, out _) is not { } held)
            return OperationResult.Refused(ErrorCode.LockNotHeld);
        MakeShared(held);
        return OperationResult.Done(held.Claim.Token);
    }

    private void MakeShared(ClaimPart held)
    {
        held.Mode = HoldingMode.Shared;
        Touch(held.Resource);
    }

    /// <summary>
    /// Ends the wait of an acquire, or tells of its grant (rule 16). What it did is kept as the acquire's own result: so
    /// a repeat gets the same answer without a result of its own, and a session with a full table can still cancel.
    /// </summary>
    public OperationResult Cancel(Session session, CancelWait cancel, in ApplyContext context)
    {
        bool byRequest = cancel.TargetCase == CancelWait.TargetOneofCase.RequestId;
        Claim? claim = byRequest
            ? session.FindClaimByRequest(cancel.RequestId)
            : session.FindClaimByEntry(cancel.EntryIndex);
        if (claim is null)
            return byRequest ? CancelWithoutClaim(session, cancel) : NotWaiting;
        if (!claim.IsHolding)
        {
            if (_planted != SeededBug.CancelLeavesWait)
                EndWait(claim, OperationResult.Cancelled(), context);
            return OperationResult.Cancelled();
        }
        if (!cancel.ReleaseIfGranted)
            return Granted(claim);
        // Of an upgrade only what it added: its caller, told that it is cancelled, holds the lock shared as before.
        if (claim.IsUpgrade)
            MakeShared(claim.Parts[0]);
        else
            EndHolding(claim, context);
        OperationResult givenBack = OperationResult.Cancelled(claim.Token);
        session.Requests.Complete(claim.RequestId, givenBack);
        return givenBack;
    }

    /// <summary>Ends holdings against their holders' will; each is kept in <paramref name="audit"/>.</summary>
    public OperationResult ForceRelease(ForceRelease force, string caller, AuditTrail audit, in ApplyContext context)
    {
        List<ClaimPart> held = HeldBy(force.Kind, force.Name, force.Token);
        foreach (ClaimPart part in held)
        {
            audit.Add(new ForcedReleaseRecord
            {
                EntryIndex = context.Index,
                AtUs = context.LogTimeUs,
                Kind = force.Kind,
                Name = force.Name,
                SessionId = part.Claim.Session?.Id ?? 0,
                Token = part.Claim.Token,
                Label = part.Claim.Label,
                Caller = caller,
                Reason = force.Reason,
            });
            TellHoldingEnded(part, HoldingEndReason.Forced, context);
            EndPart(part, context);
        }
        return held.Count == 0 ? OperationResult.Refused(ErrorCode.LockNotFound) : OperationResult.Done();
    }

    public OperationResult RequestRelease(RequestRelease request, in ApplyContext context)
    {
        List<ClaimPart> held = HeldBy(request.Kind, request.Name, request.Token);
        foreach (ClaimPart part in held)
        {
            part.Asked = new AskedToRelease(request.Reason, context.LogTimeUs);
            NoteNotice(part.Claim, context);
            context.Effects.ReleasesRequested.Add(new ReleaseRequested(
                request.Kind, request.Name, part.Claim.Session?.Id ?? 0, part.Claim.Token, request.Reason));
        }
        return held.Count == 0 ? OperationResult.Refused(ErrorCode.LockNotFound) : OperationResult.Done();
    }

    private static OperationResult NotWaiting => OperationResult.Refused(ErrorCode.NotWaiting);

    /// <summary>
    /// The session's holding; the first acquired of several that are alike. Alike they are interchangeable: two that one
    /// entry granted have the same token.
    /// </summary>
    private ClaimPart? FindHeld(
        Session session, HoldingKind kind, string name, long token, int permits, out bool isAmbiguous)
    {
        isAmbiguous = false;
        if (Find(kind, name) is not { } resource)
            return null;
        if (kind != HoldingKind.Semaphore)
            return session.FirstHoldingOf(resource) is { } held && held.Claim.IsKnownBy(token) ? held : null;
        ClaimPart? found = null;
        for (LinkedListNode<ClaimPart>? node = resource.Holders.First; node is not null && !isAmbiguous; node = node.Next)
        {
            ClaimPart part = node.Value;
            if (!ReferenceEquals(part.Claim.Session, session)
                || (token != 0 && token != part.Claim.Token)
                || (permits != 0 && permits != part.Permits))
            {
                continue;
            }
            isAmbiguous = found is not null && found.Permits != part.Permits;
            if (found is null || part.Claim.Id < found.Claim.Id)
                found = part;
        }
        return isAmbiguous ? null : found;
    }

    private List<ClaimPart> HeldBy(HoldingKind kind, string name, long token)
    {
        var held = new List<ClaimPart>();
        for (LinkedListNode<ClaimPart>? node = Find(kind, name)?.Holders.First; node is not null; node = node.Next)
        {
            if (token == 0 || token == node.Value.Claim.Token)
                held.Add(node.Value);
        }
        return held;
    }

    private OperationResult CancelWithoutClaim(Session session, CancelWait cancel)
    {
        RequestTable requests = session.Requests;
        if (session.FindReentry(cancel.RequestId) is { } entered)
            return CancelReentry(session, entered, cancel);
        if (cancel.RequestId < requests.AnsweredBelow)
            return NotWaiting;
        if (requests.TryGet(cancel.RequestId, out StoredRequest stored))
        {
            return stored.Fingerprint.Kind != Command.OperationOneofCase.AcquireLock
                ? OperationResult.Refused(ErrorCode.RequestMismatch)
                : stored.Result.Outcome == Outcome.Cancelled ? stored.Result : NotWaiting;
        }
        // The cancel overtook its acquire: that one must not be executed when it arrives, or its caller, told that it is
        // cancelled, would hold a lock that nobody releases (rule 16).
        if (requests.Count >= settings.OpenRequestsPerSession)
            return OperationResult.Refused(ErrorCode.TooManyOpenRequests);
        requests.Add(new StoredRequest(cancel.RequestId, Fingerprint.AnyAcquire, OperationResult.Cancelled(), WaitIndex: 0));
        return OperationResult.Cancelled();
    }

    private static OperationResult CancelReentry(Session session, ClaimPart entered, CancelWait cancel)
    {
        if (!cancel.ReleaseIfGranted)
            return Entered(entered);
        entered.Reentries!.Remove(cancel.RequestId);
        OperationResult givenBack = OperationResult.Cancelled(entered.Claim.Token) with { Holds = entered.Holds };
        session.Requests.Complete(cancel.RequestId, givenBack);
        return givenBack;
    }
}
