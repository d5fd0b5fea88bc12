namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Nobody is let into a line where it would wait for itself by way of others who do nothing else, and nobody is refused
/// for less.
/// </summary>
internal sealed class NoDeadlock(HoldingLedger ledger) : Invariant
{
    protected override string Name => "no deadlock";

    public override void Waits(long index, Claimed claim, bool refusedAsDeadlock)
    {
        bool isDeadlock = ReachesItself(claim.SessionId);
        Require(
            isDeadlock == refusedAsDeadlock,
            () => $"entry {index}: {claim} {(refusedAsDeadlock ? "is refused as a deadlock and is none" : "closes a cycle")}");
    }

    private bool ReachesItself(long self)
    {
        var reached = new SortedSet<long>(WaitsFor(self));
        for (int before = -1; before != reached.Count;)
        {
            before = reached.Count;
            foreach (long session in reached.ToList())
                reached.UnionWith(WaitsFor(session));
        }
        return reached.Contains(self);
    }

    // Whoever waits for two things at once, or has said so, has other work that may yet let go.
    private HashSet<long> WaitsFor(long session)
    {
        List<Claimed> waits = [.. ledger.Waiting.Where(waiter => waiter.SessionId == session)];
        var sessions = new HashSet<long>();
        if (waits.Select(wait => wait.WaitIndex).Distinct().Count() != 1 || waits[0].IsConcurrent)
            return sessions;
        foreach (Claimed wait in waits)
        {
            sessions.UnionWith(wait.View.Waiting.TakeWhile(ahead => ahead != wait).Select(ahead => ahead.SessionId));
            foreach (IGrouping<long, Claimed> holder in wait.View.Holders.GroupBy(held => held.SessionId))
            {
                bool isNeeded = wait.Permits > 0 ? wait.Limit - holder.Sum(held => held.Permits) < wait.Permits
                    : wait.IsShared ? holder.Any(held => !held.IsShared)
                    : !wait.IsUpgrade || holder.Key != session;
                if (isNeeded)
                    sessions.Add(holder.Key);
            }
        }
        return sessions;
    }
}
