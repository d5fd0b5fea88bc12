namespace Coordinator.Replica.State;

/// <summary>The third part of a snapshot: locks in the order of their names, each with its holder and its queue.</summary>
internal static class SnapshotLocks
{
    public static void Write(LockResource resource, SnapshotWriter writer)
    {
        Claim holder = resource.Holder
            ?? throw new InvalidOperationException($"Lock '{resource.Name}' has no holder between two entries.");
        writer.Text(resource.Name);
        WriteClaim(holder, writer);
        writer.Int64(holder.Token);
        writer.Int64(holder.Floor);
        writer.Int32(resource.WaiterCount);
        for (LinkedListNode<Claim>? node = resource.Queue?.First; node is not null; node = node.Next)
        {
            WriteClaim(node.Value, writer);
            writer.Int64(node.Value.DueUs);
        }
    }

    public static void Read(CoordinationState state, SnapshotReader reader)
    {
        var waits = new List<Claim>();
        int count = reader.Count("the number of locks", int.MaxValue);
        string? previousName = null;
        for (int i = 0; i < count; i++)
        {
            previousName = StateSnapshot.ReadName(reader, "a lock's name", previousName);
            var resource = new LockResource(previousName);
            ReadHolder(state, reader, resource);
            ReadQueue(state, reader, resource, waits);
        }
        // A session's own list of waits is in the order of their entries, across all locks.
        waits.Sort((x, y) => x.Id.CompareTo(y.Id));
        for (int i = 0; i < waits.Count; i++)
        {
            if (i > 0 && waits[i - 1].Id == waits[i].Id)
                reader.Fail($"entry {waits[i].Id} waits twice.");
            state.Locks.RestoreWait(waits[i]);
        }
        CheckSessions(state, reader);
    }

    private static void WriteClaim(Claim claim, SnapshotWriter writer)
    {
        writer.Int64(claim.Id);
        writer.Int64(claim.Session.Id);
        writer.Int64(claim.RequestId);
        writer.Int64(claim.SinceUs);
        writer.Text(claim.Label);
    }

    private static void ReadHolder(CoordinationState state, SnapshotReader reader, LockResource resource)
    {
        Claim holder = ReadClaim(state, reader, resource);
        holder.Token = reader.Int64("a token", holder.Id, state.AppliedIndex);
        holder.Floor = reader.Int64("a floor", 1, holder.Token);
        state.Locks.RestoreHolder(holder);
    }

    private static void ReadQueue(
        CoordinationState state, SnapshotReader reader, LockResource resource, List<Claim> waits)
    {
        int count = reader.Count("a lock's number of waiters", state.Settings.WaitersPerResource);
        long previous = 0;
        for (int i = 0; i < count; i++)
        {
            Claim waiter = ReadClaim(state, reader, resource);
            waiter.DueUs = reader.Int64("the end of a wait", state.LogTimeUs, long.MaxValue);
            if (waiter.Id <= previous)
                reader.Fail($"the queue of lock '{resource.Name}' is not in the order of its entries.");
            previous = waiter.Id;
            waits.Add(waiter);
        }
    }

    private static Claim ReadClaim(CoordinationState state, SnapshotReader reader, LockResource resource)
    {
        long entryIndex = reader.Int64("an acquire's index", 1, state.AppliedIndex);
        long sessionId = reader.Int64("an acquire's session", 1, state.AppliedIndex);
        long requestId = reader.Int64("an acquire's request id", 0, long.MaxValue);
        long sinceUs = reader.Int64("an acquire's time", 0, state.LogTimeUs);
        string label = StateSnapshot.ReadLabel(reader, "an acquire's label");
        Session? session = state.Sessions.Find(sessionId);
        if (session is null)
            reader.Fail($"lock '{resource.Name}' is wanted by session {sessionId}, which is not there.");
        return new Claim(entryIndex, session, resource, requestId, label) { SinceUs = sinceUs };
    }

    // Each session has room for what it holds and waits for, and its table and the queues know the same waits.
    private static void CheckSessions(CoordinationState state, SnapshotReader reader)
    {
        foreach (Session session in state.Sessions.ById.All())
        {
            if (session.ClaimCount > state.Settings.HoldingsPerSession)
                reader.Fail($"session {session.Id} holds and waits for {session.ClaimCount} resources.");
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
}
