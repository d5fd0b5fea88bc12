using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// All that is held and waited for in the group: locks, semaphores, elections, leases. Invariants: holders are
/// compatible, only live sessions hold or wait, queues are in the order of their entries (an upgrade first), a claim is
/// granted all of its resources by one entry or none, and an entry's exclusive grant of a resource is its only one.
/// </summary>
/// <remarks>
/// Queues are served once for each entry, after all that its stamp made due and its command have ended (rules 10, 17).
/// Serving between the stamp and the command would let one entry grant a lock, give it back, and grant it again: two
/// exclusive grants with one token (rule 18).
/// </remarks>
internal sealed partial class HoldingTable(StateSettings settings, DueHeap due)
{
    private static readonly ResourceOrder ByKindAndName = new();

    private readonly SortedBlocks<string, Resource, OrdinalOrder>[] _byKind = [new(), new(), new(), new()];
    private readonly SortedSet<Resource> _touched = new(ByKindAndName);
    private readonly SortedSet<Resource> _electionsChanged = new(ByKindAndName);
    private readonly SeededBug _planted = SeededBugs.Planted;

    public SortedBlocks<string, Resource, OrdinalOrder> Of(HoldingKind kind) => _byKind[(int)kind];

    public Resource? Find(HoldingKind kind, string name) => Of(kind).TryGet(name, out Resource? resource) ? resource : null;

    /// <summary>The wait ends without a grant.</summary>
    public void EndWait(Claim claim, OperationResult result, in ApplyContext context)
    {
        Dequeue(claim);
        TellEnd(claim, result, context);
    }

    /// <summary>What a time has been set for is due: a bounded wait, a maximum hold, a lease, a delay.</summary>
    public void EndDue(DueItem item, in ApplyContext context)
    {
        if (item is LockDelay delay)
            EndDelay(delay);
        else if (item is HeldBack)
            EndHoldBack();
        else if (item is Claim { IsHolding: false } wait)
            EndWait(wait, NotGranted, context);
        else
            EndOverdueHolding((Claim)item, context);
    }

    /// <summary>All that the session waits for and holds ends; others are served when the entry has been applied.</summary>
    public void EndAllOf(Session session, SessionEndReason reason, in ApplyContext context)
    {
        while (_planted != SeededBug.GrantsToEndedSession && session.Waits.First is { } wait)
            EndWait(wait.Value, OperationResult.Refused(ErrorCode.SessionNotFound), context);
        while (_planted != SeededBug.HoldingOutlivesSession && session.Holdings.First is { } holding)
        {
            if (reason == SessionEndReason.Expired)
                KeepEverybodyOut(holding.Value, context);
            EndHolding(holding.Value, context);
        }
    }

    /// <summary>Grants what became free to the first in line, and forgets what nobody wants.</summary>
    public void Serve(in ApplyContext context)
    {
        while (_touched.Min is { } resource)
        {
            LinkedListNode<ClaimPart>? next =
                _planted == SeededBug.GrantsLastInLine ? resource.Queue.Last : resource.Queue.First;
            if (next is { Value.Claim: { } claim } && CanBeGranted(claim))
            {
                Dequeue(claim);
                TellEnd(claim, Grant(claim, context), context);
                continue;
            }
            _touched.Remove(resource);
            if (resource.IsForgettable)
                Of(resource.Kind).Remove(resource.Name);
        }
        foreach (Resource election in _electionsChanged)
            context.Effects.ElectionsChanged.Add(Describe(election));
        _electionsChanged.Clear();
    }

    // First in line everywhere, and room everywhere (rule 20).
    private bool CanBeGranted(Claim claim)
    {
        if (_heldBack is not null)
            return false;
        if (_planted == SeededBug.GrantsPartOfSeveral)
            return claim.Parts[0].Resource.HasRoomFor(claim.Parts[0]);
        foreach (ClaimPart part in claim.Parts)
        {
            bool isFirst = ReferenceEquals(part.Resource.Queue.First, part.Place) || _planted == SeededBug.GrantsLastInLine;
            if (!isFirst || !part.Resource.HasRoomFor(part))
                return false;
        }
        return true;
    }

    private OperationResult Grant(Claim claim, in ApplyContext context)
    {
        if (claim.IsUpgrade)
            ReplaceUpgraded(claim, context);
        claim.Token = context.Index;
        claim.SinceUs = context.LogTimeUs;
        claim.DueUs = claim.Lease is { } lease ? ApplyContext.After(context.LogTimeUs, lease.TtlUs)
            : claim.MaxHoldUs > 0 && _planted != SeededBug.HoldOutlivesMaximum ? ApplyContext.After(context.LogTimeUs, claim.MaxHoldUs)
            : long.MaxValue;
        foreach (ClaimPart part in claim.Parts)
        {
            Resource resource = part.Resource;
            bool isAfterLast = context.Index > resource.LastToken
                || (part.Mode != HoldingMode.Exclusive && context.Index == resource.LastToken);
            if (!isAfterLast || (!resource.HasRoomFor(part) && _planted != SeededBug.GrantsPartOfSeveral))
            {
                throw new InvalidOperationException(
                    $"Entry {context.Index} may not grant {resource.Kind} '{resource.Name}' after token {resource.LastToken} (rule 18).");
            }
            if (_planted == SeededBug.TokenUsedAgain && resource.LastToken != 0)
                claim.Token = resource.LastToken;
            part.Floor = FloorFor(part, claim.Token);
        }
        Hold(claim);
        return Granted(claim);
    }

    private long FloorFor(ClaimPart part, long token) =>
        part.Resource.Holders.First is { } first && _planted != SeededBug.FloorIsOwnToken ? first.Value.Claim.Token : token;

    private void Hold(Claim claim)
    {
        foreach (ClaimPart part in claim.Parts)
        {
            Resource resource = part.Resource;
            resource.Holders.AddLast(part.Place);
            resource.PermitsHeld += part.Permits;
            resource.LastToken = claim.Token;
            NoteElection(resource);
        }
        if (claim.Session is { } session)
        {
            session.Holdings.AddLast(claim.InSession);
            session.ResourceCount += claim.Parts.Count;
        }
        if (claim.Lease is not null || claim.DueUs != long.MaxValue)
            due.Add(claim);
    }

    private void Enqueue(Claim claim)
    {
        foreach (ClaimPart part in claim.Parts)
        {
            if (claim.IsUpgrade)
                part.Resource.Queue.AddFirst(part.Place);
            else
                part.Resource.Queue.AddLast(part.Place);
        }
        claim.Session!.Waits.AddLast(claim.InSession);
        claim.Session.ResourceCount += claim.Parts.Count;
        if (claim.DueUs != long.MaxValue)
            due.Add(claim);
    }

    private void Dequeue(Claim claim)
    {
        foreach (ClaimPart part in claim.Parts)
        {
            part.Resource.Queue.Remove(part.Place);
            Touch(part.Resource);
        }
        claim.Session!.Waits.Remove(claim.InSession);
        claim.Session.ResourceCount -= claim.Parts.Count;
        due.Remove(claim);
    }

    private void Touch(Resource resource) => _touched.Add(resource);

    private void NoteElection(Resource resource)
    {
        if (resource.Kind == HoldingKind.Election)
            _electionsChanged.Add(resource);
    }

    private static OperationResult Granted(Claim claim)
    {
        long[]? alsoFloors = claim.Parts.Count > 1 ? new long[claim.Parts.Count - 1] : null;
        for (int i = 1; i < claim.Parts.Count; i++)
            alsoFloors![i - 1] = claim.Parts[i].Floor;
        return new OperationResult(
            ErrorCode.Ok, Outcome.Granted, claim.Token, claim.Parts[0].Floor, AlsoFloors: alsoFloors);
    }

    private static void TellEnd(Claim claim, OperationResult result, in ApplyContext context)
    {
        Session session = claim.Session!;
        session.Requests.Complete(claim.RequestId, result);
        context.Effects.WaitsEnded.Add(new WaitEnded(claim.Id, session.Id, claim.RequestId, result.ToCommandResult()));
    }

    private static void TellHoldingEnded(ClaimPart part, HoldingEndReason reason, in ApplyContext context)
    {
        if (SeededBugs.Planted != SeededBug.EndsNotNoticed)
            NoteNotice(part.Claim, context);
        context.Effects.HoldingsEnded.Add(new HoldingEnded(
            part.Resource.Kind,
            part.Resource.Name,
            part.Claim.Id,
            part.Claim.Session?.Id ?? 0,
            part.Claim.RequestId,
            part.Claim.Token,
            reason));
    }

    private static void NoteNotice(Claim claim, in ApplyContext context)
    {
        if (claim.Session is { } session)
            session.NoticeIndex = context.Index;
    }

    public static ElectionChanged Describe(Resource election) => election.Holders.First?.Value.Claim is { } leader
        ? new ElectionChanged(election.Name, leader.Session!.Id, leader.Token, leader.Value)
        : new ElectionChanged(election.Name, 0, 0, "");
}
