using Coordinator.Replica.Storage;

namespace Coordinator.Simulation.Storage;

/// <summary>What a write must keep to by itself. A write that does not is a bug of the replica that made it.</summary>
internal static class WriteRules
{
    /// <summary>Null: nothing is wrong with it.</summary>
    public static string? Problem(PeerWrite write)
    {
        for (int i = 0; i < write.Entries.Count; i++)
        {
            if (i > 0 && write.Entries[i].Index != write.Entries[i - 1].Index + 1)
                return $"entry {write.Entries[i].Index} follows entry {write.Entries[i - 1].Index}";
            if (i > 0 && write.Entries[i].Term < write.Entries[i - 1].Term)
                return $"entry {write.Entries[i].Index} has an earlier term than the one before";
            if (write.Entries[i].Term > write.HardState.Term)
                return $"entry {write.Entries[i].Index} has term {write.Entries[i].Term}, HardState {write.HardState.Term}";
        }
        if (write.Entries.Count > 0 && write.HardState.Commit > write.Entries[^1].Index)
            return $"commit index {write.HardState.Commit} is above the last entry {write.Entries[^1].Index}";
        if (write.Entries.Count > 0 && write.CompactThrough >= write.Entries[0].Index)
            return $"it compacts through {write.CompactThrough} what it appends";
        return SnapshotProblem(write);
    }

    private static string? SnapshotProblem(PeerWrite write)
    {
        if (write.Snapshot is { } pointer && pointer.Epoch != write.Epoch)
            return $"the snapshot's chunks were written in epoch {pointer.Epoch}";
        if (!write.ReplaceLog)
            return null;
        if (write.Snapshot is null)
            return "it replaces the log without a snapshot";
        return write.Entries.Count > 0 && write.Entries[0].Index != write.Snapshot.Index + 1
            ? $"entry {write.Entries[0].Index} does not follow the snapshot at {write.Snapshot.Index}"
            : null;
    }
}
