using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>The part of a snapshot behind the holdings: the forced releases that are kept, oldest first.</summary>
internal static class SnapshotAudit
{
    public static void Write(AuditTrail trail, SnapshotWriter writer)
    {
        writer.Int64(trail.FirstNumber);
        writer.Int32(trail.Count);
        foreach (ForcedReleaseRecord record in trail.Records)
        {
            writer.Int64(record.EntryIndex);
            writer.Int64(record.AtUs);
            writer.Byte((byte)record.Kind);
            writer.Text(record.Name);
            writer.Int64(record.SessionId);
            writer.Int64(record.Token);
            writer.Text(record.Label);
            writer.Text(record.Caller);
            writer.Text(record.Reason);
        }
    }

    public static void Read(CoordinationState state, SnapshotReader reader)
    {
        state.ForcedReleases.StartAt(reader.Int64("the first forced release", 1, long.MaxValue - int.MaxValue));
        int count = reader.Count("the number of forced releases", state.Settings.ForcedReleasesKept);
        long previous = 0;
        for (int i = 0; i < count; i++)
        {
            ForcedReleaseRecord record = ReadRecord(state, reader);
            reader.Require(record.EntryIndex >= previous, "a forced release is out of order.");
            previous = record.EntryIndex;
            state.ForcedReleases.Add(record);
        }
    }

    private static ForcedReleaseRecord ReadRecord(CoordinationState state, SnapshotReader reader)
    {
        long entryIndex = reader.Int64("a forced release's entry", 1, state.AppliedIndex);
        long atUs = reader.Int64("a forced release's time", 0, state.LogTimeUs);
        var kind = (HoldingKind)reader.Byte("a forced release's kind");
        reader.Require(Enum.IsDefined(kind), $"{(int)kind} is no kind of resource.");
        return new ForcedReleaseRecord
        {
            EntryIndex = entryIndex,
            AtUs = atUs,
            Kind = kind,
            Name = StateSnapshot.ReadName(reader, "a forced release's name", previous: null),
            SessionId = reader.Int64("a forced release's session", 0, state.AppliedIndex),
            Token = reader.Int64("a forced release's token", 1, state.AppliedIndex),
            Label = StateSnapshot.ReadLabel(reader, "a forced release's label"),
            Caller = StateSnapshot.ReadLabel(reader, "a forced release's caller"),
            Reason = StateSnapshot.ReadLabel(reader, "a forced release's reason"),
        };
    }
}
