using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// A state as bytes: a format of its own, with everything in the order of ids, names or queues, so that replicas with
/// the same state write the same bytes. Reading verifies whatever the state takes for granted, limits and order
/// included: a snapshot that breaks an invariant is refused, not loaded.
/// </summary>
/// <remarks>No protobuf: its maps have no order, and its writers may differ in how they write the same message.</remarks>
internal static class StateSnapshot
{
    public static void Write(CoordinationState state, SnapshotWriter writer)
    {
        WriteUpToConfig(state, writer);
        SortedBlocks<string, ConfigRecord, OrdinalOrder>.Cursor records = state.Config.Records.All();
        while (records.MoveNext())
            SnapshotConfig.Write(records.Key, records.Current, writer);
        SnapshotHistory.Write(state.Config.History, writer);
        writer.Finish();
    }

    /// <summary>All parts but the keys themselves; their number is the last of it.</summary>
    public static void WriteUpToConfig(CoordinationState state, SnapshotWriter writer)
    {
        SnapshotHeader.Write(state, writer);
        writer.Int32(state.Sessions.Count);
        foreach (Session session in state.Sessions.ById.All())
            SnapshotSessions.Write(session, writer);
        SnapshotHoldings.Write(state, writer);
        SnapshotAudit.Write(state.ForcedReleases, writer);
        writer.Int32(state.Config.Records.Count);
    }

    /// <exception cref="InvalidDataException">The bytes are no snapshot; the message names what is wrong.</exception>
    public static CoordinationState Read(SnapshotReader reader)
    {
        CoordinationState state = SnapshotHeader.Read(reader);
        SnapshotSessions.Read(state, reader);
        SnapshotHoldings.Read(state, reader);
        SnapshotAudit.Read(state, reader);
        SnapshotConfig.Read(state, reader);
        SnapshotHistory.Read(state, reader);
        reader.End();
        return state;
    }

    /// <summary>A valid name behind the one before.</summary>
    public static string ReadName(SnapshotReader reader, string field, string? previous)
    {
        string name = reader.Text(field);
        if (ResourceName.Problem(name) is { } problem)
            reader.Fail($"{field}: {problem}");
        if (previous is not null && string.CompareOrdinal(previous, name) >= 0)
            reader.Fail($"{field} '{name}' is out of order.");
        return name;
    }

    public static string ReadLabel(SnapshotReader reader, string field)
    {
        string label = reader.Text(field);
        if (ResourceName.LabelProblem(label) is { } problem)
            reader.Fail($"{field}: {problem}");
        return label;
    }
}
