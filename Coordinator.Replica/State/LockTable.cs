using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// All locks of the group. Invariants: at most one holder each, only live sessions hold or wait, queues are in the order
/// of their entries, and a resource is granted at most once in one entry.
/// </summary>
/// <remarks>
/// Queues are served once for each entry, after all that its stamp made due and its command have ended (rules 10, 17).
/// Serving between the stamp and the command would let one entry grant a lock, give it back, and grant it again: two
/// exclusive grants with one token (rule 18).
/// </remarks>
internal sealed class LockTable(StateSettings settings, DueHeap due)
{
    private static readonly Comparison<LockResource> ByName = (x, y) => string.CompareOrdinal(x.Name, y.Name);

    private readonly SortedBlocks<string, LockResource, OrdinalOrder> _resources = new();
    private readonly List<LockResource> _touched = [];
    private readonly SeededBug _planted = SeededBugs.Planted;

    public SortedBlocks<string, LockResource, OrdinalOrder> Resources => _resources;

    public OperationResult Acquire(Session session, AcquireLock acquire, long requestId, in ApplyContext context)
    {
        _resources.TryGet(acquire.Name, out LockResource? resource);
        if (resource?.Holder is { } holder && ReferenceEquals(holder.Session, session))
            return OperationResult.Refused(ErrorCode.LockAlreadyHeld) with { Token = holder.Token, Floor = holder.Floor };
        // A second place in the queue could only ever be granted to a session that has just released the lock: refused,
        // like a second holding. A repeat of the waiting request itself has been recognised by its id before.
        if (resource is not null && session.WaitsFor(resource))
            return OperationResult.Refused(ErrorCode.LockAlreadyHeld);
        if (session.ClaimCount >= settings.HoldingsPerSession)
            return OperationResult.Refused(ErrorCode.TooManyHoldings);

        bool isFree = resource is null || resource.IsFree;
        if (!isFree && acquire.WaitUs == 0)
            return OperationResult.NotAcquired;
        if (!isFree && resource!.WaiterCount >= settings.WaitersPerResource)
            return OperationResult.Refused(ErrorCode.TooManyWaiters);
        if (resource is null)
            _resources.Add(acquire.Name, resource = new LockResource(acquire.Name));
        var claim = new Claim(context.Index, session, resource, requestId, acquire.Label) { SinceUs = context.LogTimeUs };
        if (isFree)
            return Grant(claim, context);
        if (acquire.WaitUs > 0)
            claim.DueUs = ApplyContext.After(context.LogTimeUs, acquire.WaitUs);
        Enqueue(claim);
        return OperationResult.Queued;
    }

    public OperationResult Release(Session session, ReleaseLock release)
    {
        if (!_resources.TryGet(release.Name, out LockResource? resource)
            || resource.Holder is not { } holder
            || !ReferenceEquals(holder.Session, session)
            || (release.Token != 0 && release.Token != holder.Token))
        {
            return OperationResult.Refused(ErrorCode.LockNotHeld);
        }
        EndHolding(holder);
        return new OperationResult(ErrorCode.Ok, Outcome.Released, holder.Token);
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
            return byRequest ? CancelWithoutClaim(session.Requests, cancel.RequestId) : NotWaiting;
        if (!claim.IsHolding)
        {
            if (_planted != SeededBug.CancelLeavesWait)
                EndWait(claim, OperationResult.Cancelled(), context);
            return OperationResult.Cancelled();
        }
        if (!cancel.ReleaseIfGranted)
            return Granted(claim);
        EndHolding(claim);
        OperationResult givenBack = OperationResult.Cancelled(claim.Token);
        session.Requests.Complete(claim.RequestId, givenBack);
        return givenBack;
    }

    /// <summary>The wait ends without a grant.</summary>
    public void EndWait(Claim claim, OperationResult result, in ApplyContext context)
    {
        Dequeue(claim);
        Touch(claim.Resource);
        TellEnd(claim, result, context);
    }

    /// <summary>All that the session waits for and holds ends; others are served when the entry has been applied.</summary>
    public void EndAllOf(Session session, in ApplyContext context)
    {
        while (_planted != SeededBug.GrantsToEndedSession && session.Waits.First is { } wait)
            EndWait(wait.Value, OperationResult.Refused(ErrorCode.SessionNotFound), context);
        while (_planted != SeededBug.HoldingOutlivesSession && session.Holdings.First is { } holding)
            EndHolding(holding.Value);
    }

    /// <summary>Grants what became free to the first in line, and forgets what nobody wants.</summary>
    public void Serve(in ApplyContext context)
    {
        if (_touched.Count > 1)
            _touched.Sort(ByName);
        foreach (LockResource resource in _touched)
        {
            resource.IsTouched = false;
            if (resource.Holder is not null)
                continue;
            LinkedListNode<Claim>? next = _planted == SeededBug.GrantsLastInLine ? resource.Queue?.Last : resource.Queue?.First;
            if (next is { } first)
            {
                Dequeue(first.Value);
                TellEnd(first.Value, Grant(first.Value, context), context);
            }
            else
            {
                _resources.Remove(resource.Name);
            }
        }
        _touched.Clear();
    }

    /// <summary>From a snapshot: the lock as it was granted. Waiters follow.</summary>
    public void RestoreHolder(Claim claim)
    {
        _resources.Add(claim.Resource.Name, claim.Resource);
        Hold(claim);
    }

    /// <summary>From a snapshot: the last in its queue and the last of its session's waits.</summary>
    public void RestoreWait(Claim claim) => Enqueue(claim);

    private OperationResult CancelWithoutClaim(RequestTable requests, long requestId)
    {
        if (requestId < requests.AnsweredBelow)
            return NotWaiting;
        if (requests.TryGet(requestId, out StoredRequest stored))
        {
            return stored.Fingerprint.Kind != Command.OperationOneofCase.AcquireLock
                ? OperationResult.Refused(ErrorCode.RequestMismatch)
                : stored.Result.Outcome == Outcome.Cancelled ? stored.Result : NotWaiting;
        }
        // The cancel overtook its acquire: that one must not be executed when it arrives, or its caller, told that it is
        // cancelled, would hold a lock that nobody releases (rule 16).
        if (requests.Count >= settings.OpenRequestsPerSession)
            return OperationResult.Refused(ErrorCode.TooManyOpenRequests);
        requests.Add(new StoredRequest(requestId, Fingerprint.AnyAcquire, OperationResult.Cancelled(), WaitIndex: 0));
        return OperationResult.Cancelled();
    }

    private static OperationResult NotWaiting => OperationResult.Refused(ErrorCode.NotWaiting);

    private static OperationResult Granted(Claim claim) =>
        new(ErrorCode.Ok, Outcome.Granted, claim.Token, claim.Floor);

    private OperationResult Grant(Claim claim, in ApplyContext context)
    {
        LockResource resource = claim.Resource;
        if (resource.Holder is not null || context.Index <= resource.LastToken)
        {
            throw new InvalidOperationException(
                $"Entry {context.Index} may not grant lock '{resource.Name}' after token {resource.LastToken} (rule 18).");
        }
        bool usesAgain = _planted == SeededBug.TokenUsedAgain && resource.LastToken != 0;
        claim.Token = usesAgain ? resource.LastToken : context.Index;
        claim.Floor = context.Index;
        claim.SinceUs = context.LogTimeUs;
        Hold(claim);
        return Granted(claim);
    }

    private static void Hold(Claim claim)
    {
        claim.Resource.Holder = claim;
        claim.Resource.LastToken = claim.Token;
        claim.Session.Holdings.AddLast(claim.InSession);
    }

    private void EndHolding(Claim claim)
    {
        claim.Resource.Holder = null;
        claim.Session.Holdings.Remove(claim.InSession);
        Touch(claim.Resource);
    }

    private void Enqueue(Claim claim)
    {
        (claim.Resource.Queue ??= new LinkedList<Claim>()).AddLast(claim.InQueue);
        claim.Session.Waits.AddLast(claim.InSession);
        if (claim.DueUs != long.MaxValue)
            due.Add(claim);
    }

    private void Dequeue(Claim claim)
    {
        claim.Resource.Queue!.Remove(claim.InQueue);
        claim.Session.Waits.Remove(claim.InSession);
        due.Remove(claim);
    }

    private void Touch(LockResource resource)
    {
        if (resource.IsTouched)
            return;
        resource.IsTouched = true;
        _touched.Add(resource);
    }

    private static void TellEnd(Claim claim, OperationResult result, in ApplyContext context)
    {
        claim.Session.Requests.Complete(claim.RequestId, result);
        context.Effects.WaitsEnded.Add(
            new WaitEnded(claim.Id, claim.Session.Id, claim.RequestId, result.ToCommandResult()));
    }
}
