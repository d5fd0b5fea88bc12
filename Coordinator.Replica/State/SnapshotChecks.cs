namespace Coordinator.Replica.State;

/// <summary>What the holdings of a snapshot must be together, once all of them have been read.</summary>
internal static class SnapshotChecks
{
    public static void Check(CoordinationState state, SnapshotReader reader)
    {
        foreach (Contracts.HoldingKind kind in SnapshotHoldings.Kinds)
        {
            foreach (Resource resource in state.Holdings.Of(kind).All())
                CheckResource(state, reader, resource);
        }
        if (state.Holdings.LeaseCount > state.Settings.LeasesMax)
            reader.Fail($"there are {state.Holdings.LeaseCount} leases.");
        foreach (Session session in state.Sessions.ById.All())
            CheckSession(state, reader, session);
    }

    private static void CheckResource(CoordinationState state, SnapshotReader reader, Resource resource)
    {
        if (resource.IsForgettable)
            reader.Fail($"nobody wants {resource.Kind} '{resource.Name}'.");
        if (resource.IsIdle && resource.Limit != 0)
            reader.Fail($"semaphore '{resource.Name}' has a limit that nobody set.");
        if (state.Holdings.HasOverlooked(resource))
            reader.Fail($"somebody waits for {resource.Kind} '{resource.Name}', which is free.");
        if (resource.Queue.First?.Value.Claim is { IsUpgrade: true } upgrade
            && upgrade.Session!.FirstHoldingOf(resource) is not { Mode: HoldingMode.Shared })
        {
            reader.Fail($"session {upgrade.Session.Id} upgrades '{resource.Name}', which it does not hold shared.");
        }
    }

    // Each session has room for what it holds and waits for, and its table and the queues know the same waits.
    private static void CheckSession(CoordinationState state, SnapshotReader reader, Session session)
    {
        if (session.ResourceCount > state.Settings.HoldingsPerSession)
            reader.Fail($"session {session.Id} holds and waits for {session.ResourceCount} resources.");
        int waitsInTable = 0;
        foreach (ref readonly StoredRequest request in session.Requests.Items)
            waitsInTable += request.WaitIndex != 0 ? 1 : 0;
        foreach (Claim wait in session.Waits)
        {
            if (wait.RequestId == 0 || wait.RequestId < session.Requests.AnsweredBelow)
                continue;
            if (!session.Requests.TryGet(wait.RequestId, out StoredRequest stored) || stored.WaitIndex != wait.Id)
                reader.Fail($"the wait of entry {wait.Id} is unknown to its session.");
            waitsInTable--;
        }
        if (waitsInTable != 0)
            reader.Fail($"a request of session {session.Id} waits in no queue.");
    }
}
