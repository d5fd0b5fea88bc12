namespace Coordinator.Replica.State;

/// <summary>
/// Who waits for whom, between sessions: a claim in a queue waits for all ahead of it, and for each holder without whose
/// leaving it cannot be granted. Only what is certain counts, so that a cycle is a deadlock and not a mere chance of one:
/// a session that waits for two things at once, or has said so, goes on with other work and may yet let go.
/// </summary>
internal sealed class WaitGraph
{
    private readonly HashSet<Session> _reached = [];
    private readonly Stack<Session> _open = new();

    // No queue and no list of holders is walked twice: all waiters of one resource ask for the same.
    private readonly Dictionary<Resource, long> _walkedThrough = [];
    private readonly HashSet<(Resource Resource, HoldingMode Mode, int Permits)> _askedOf = [];

    private WaitGraph()
    {
    }

    /// <summary>Whether <paramref name="claim"/>, about to take its place in line, would wait for its own session.</summary>
    public static bool ClosesCycle(Claim claim)
    {
        Session self = claim.Session!;
        if (claim.IsConcurrent || self.Waits.Count > 0 || self.Holdings.Count == 0)
            return false;
        var graph = new WaitGraph();
        foreach (ClaimPart part in claim.Parts)
            graph.Follow(part, claim.IsUpgrade ? null : part.Resource.Queue.Last);
        return graph.Reaches(self);
    }

    private bool Reaches(Session target)
    {
        while (_open.TryPop(out Session? session))
        {
            if (ReferenceEquals(session, target))
                return true;
            if (session.Waits.Count != 1 || session.Waits.First!.Value.IsConcurrent)
                continue;
            foreach (ClaimPart part in session.Waits.First.Value.Parts)
                Follow(part, part.Place.Previous);
        }
        return false;
    }

    private void Follow(ClaimPart part, LinkedListNode<ClaimPart>? ahead)
    {
        // Who upgrades waits for all holders but its own session, which others may wait for: asked for each.
        if (part.Claim.IsUpgrade || _askedOf.Add((part.Resource, part.Mode, part.Permits)))
            AskHolders(part);
        // An upgrade is ahead of all, whatever its index.
        if (part.Claim.IsUpgrade)
            return;
        long walked = _walkedThrough.GetValueOrDefault(part.Resource);
        for (; ahead is not null && (ahead.Value.Claim.IsUpgrade || ahead.Value.Claim.Id > walked); ahead = ahead.Previous)
            Reach(ahead.Value.Claim.Session);
        _walkedThrough[part.Resource] = Math.Max(walked, part.Claim.Id);
    }

    private void AskHolders(ClaimPart part)
    {
        LinkedListNode<ClaimPart>? first = part.Resource.Holders.First;
        Dictionary<Session, int>? permits = null;
        for (LinkedListNode<ClaimPart>? node = first; node is not null && part.Mode == HoldingMode.Permits; node = node.Next)
        {
            Session session = node.Value.Claim.Session!;
            permits ??= [];
            permits[session] = permits.GetValueOrDefault(session) + node.Value.Permits;
        }
        for (LinkedListNode<ClaimPart>? node = first; node is not null; node = node.Next)
        {
            Session? session = node.Value.Claim.Session;
            bool isNeeded = part.Mode switch
            {
                HoldingMode.Permits => part.Resource.Limit - permits![session!] < part.Permits,
                HoldingMode.Shared => node.Value.Mode == HoldingMode.Exclusive,
                _ => !(part.Claim.IsUpgrade && ReferenceEquals(session, part.Claim.Session)),
            };
            if (isNeeded)
                Reach(session);
        }
    }

    private void Reach(Session? session)
    {
        if (session is not null && _reached.Add(session))
            _open.Push(session);
    }
}
