using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>The second part of a snapshot: sessions in the order of their ids, each with its table of requests.</summary>
internal static class SnapshotSessions
{
    public static void Write(Session session, SnapshotWriter writer)
    {
        writer.Int64(session.Id);
        writer.Int64(session.TtlUs);
        writer.Int64(session.DueUs);
        writer.Int64(session.CreatedUs);
        writer.Flag(session.Nonce is not null);
        if (session.Nonce is { } nonce)
            writer.UInt128(nonce);
        writer.Text(session.Metadata);
        writer.Text(session.Caller);
        writer.Int64(session.NoticeIndex);
        writer.Int64(session.Requests.AnsweredBelow);
        writer.Int32(session.Requests.Count);
        foreach (ref readonly StoredRequest request in session.Requests.Items)
            Write(request, writer);
    }

    public static void Read(CoordinationState state, SnapshotReader reader)
    {
        int count = reader.Count("the number of sessions", state.Settings.SessionsMax);
        long previousId = 0;
        for (int i = 0; i < count; i++)
        {
            Session session = ReadSession(state, reader, previousId);
            ReadRequests(state, reader, session.Requests);
            state.Sessions.Add(session);
            previousId = session.Id;
        }
    }

    private static void Write(in StoredRequest request, SnapshotWriter writer)
    {
        writer.Int64(request.RequestId);
        writer.Int32((int)request.Fingerprint.Kind);
        writer.Int64((long)request.Fingerprint.NameHash);
        writer.Int32((int)request.Result.Error);
        writer.Int32((int)request.Result.Outcome);
        writer.Int64(request.Result.Token);
        writer.Int64(request.Result.Floor);
        writer.Int64(request.Result.Revision);
        writer.Int64(request.Result.Version);
        writer.Int32(request.Result.Holds);
        writer.Int32(request.Result.AlsoFloors?.Count ?? 0);
        foreach (long floor in request.Result.AlsoFloors ?? [])
            writer.Int64(floor);
        writer.Int64(request.WaitIndex);
    }

    private static Session ReadSession(CoordinationState state, SnapshotReader reader, long previousId)
    {
        long id = reader.Int64("a session id", 1, state.AppliedIndex);
        if (id <= previousId)
            reader.Fail($"session {id} is out of order.");
        long ttlUs = reader.Int64("a TTL", CommandRules.TtlMinUs, CommandRules.TtlMaxUs);
        long dueUs = reader.Int64("a session's deadline", state.LogTimeUs, long.MaxValue);
        long createdUs = reader.Int64("a session's creation", 0, state.LogTimeUs);
        UInt128? nonce = reader.Flag("whether a session has a nonce") ? reader.UInt128("a nonce") : null;
        if (nonce is { } known && state.Sessions.KnowsNonce(known))
            reader.Fail($"session {id} has the nonce of another one.");
        return new Session(id)
        {
            TtlUs = ttlUs,
            DueUs = dueUs,
            CreatedUs = createdUs,
            Nonce = nonce,
            Metadata = StateSnapshot.ReadLabel(reader, "a session's metadata"),
            Caller = StateSnapshot.ReadLabel(reader, "a session's caller"),
            NoticeIndex = reader.Int64("a session's notice", id, state.AppliedIndex),
        };
    }

    private static void ReadRequests(CoordinationState state, SnapshotReader reader, RequestTable requests)
    {
        requests.Forget(reader.Int64("answered_below", 0, long.MaxValue));
        int count = reader.Count("a session's number of requests", state.Settings.OpenRequestsPerSession);
        long previousId = 0;
        for (int i = 0; i < count; i++)
        {
            long id = reader.Int64("a request id", Math.Max(1, requests.AnsweredBelow), long.MaxValue);
            if (id <= previousId)
                reader.Fail($"request {id} is out of order.");
            StoredRequest request = ReadRequest(state, reader, id);
            if (SeededBugs.Planted != SeededBug.ResultsLeftOutOfSnapshot || request.WaitIndex != 0)
                requests.Add(request);
            previousId = id;
        }
    }

    private static StoredRequest ReadRequest(CoordinationState state, SnapshotReader reader, long id)
    {
        var kind = (Command.OperationOneofCase)reader.Int32("a request's kind");
        var fingerprint = new Fingerprint(kind, (ulong)reader.Int64("a request's name hash"));
        var error = (ErrorCode)reader.Int32("a request's error");
        var outcome = (Outcome)reader.Int32("a request's outcome");
        if (!Enum.IsDefined(kind) || !Enum.IsDefined(error) || !Enum.IsDefined(outcome))
            reader.Fail($"request {id} of kind {(int)kind} ended as {(int)error}, {(int)outcome}: that is unknown.");
        var result = new OperationResult(
            error,
            outcome,
            reader.Int64("a request's token", 0, state.AppliedIndex),
            reader.Int64("a request's floor", 0, state.AppliedIndex),
            reader.Int64("a request's revision", 0, state.Revision),
            reader.Int64("a request's version", 0, state.Revision),
            reader.Count("how often a request holds", int.MaxValue),
            ReadAlsoFloors(state, reader));
        long waitIndex = reader.Int64("a request's wait", 0, state.AppliedIndex);
        if ((outcome == Outcome.Queued) != (waitIndex != 0))
            reader.Fail($"request {id} waits and does not wait.");
        return new StoredRequest(id, fingerprint, result, waitIndex);
    }

    private static long[]? ReadAlsoFloors(CoordinationState state, SnapshotReader reader)
    {
        int count = reader.Count("a request's number of floors", Limits.ResourcesPerRequestMax - 1);
        if (count == 0)
            return null;
        var floors = new long[count];
        for (int i = 0; i < count; i++)
            floors[i] = reader.Int64("a floor", 0, state.AppliedIndex);
        return floors;
    }
}
