using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>What a write must keep to by itself; what it must keep to against the row, the statement checks.</summary>
internal static class WriteRules
{
    /// <exception cref="ArgumentException">The write contradicts itself: a broken invariant of its maker.</exception>
    public static void Validate(PeerWrite write)
    {
        if (Broken(write) is { } broken)
        {
            throw new ArgumentException(
                $"Write {write.WriteSeq} of peer {write.Key} (epoch {write.Epoch}): {broken}.", nameof(write));
        }
    }

    private static string? Broken(PeerWrite write) =>
        BrokenLog(write.Entries, write.HardState) ?? BrokenSnapshot(write);

    private static string? BrokenLog(IReadOnlyList<Entry> entries, HardState state)
    {
        for (int i = 0; i < entries.Count; i++)
        {
            if (i > 0 && entries[i].Index != entries[i - 1].Index + 1)
            {
                return $"entry {entries[i].Index} follows entry {entries[i - 1].Index}";
            }

            if (i > 0 && entries[i].Term < entries[i - 1].Term)
            {
                return $"entry {entries[i].Index} has an earlier term than the one before";
            }

            if (entries[i].Term > state.Term)
            {
                return $"entry {entries[i].Index} has term {entries[i].Term}, HardState {state.Term}";
            }
        }

        return entries.Count > 0 && state.Commit > entries[^1].Index
            ? $"commit index {state.Commit} is above the last entry {entries[^1].Index}"
            : null;
    }

    private static string? BrokenSnapshot(PeerWrite write)
    {
        // Chunks of an earlier epoch are garbage, and may be gone.
        if (write.Snapshot is { } snapshot && snapshot.Epoch != write.Epoch)
        {
            return $"the snapshot's chunks were written in epoch {snapshot.Epoch}";
        }

        if (write.Entries.Count > 0 && write.CompactThrough >= write.Entries[0].Index)
        {
            return $"it compacts through {write.CompactThrough} what it appends";
        }

        if (!write.ReplaceLog)
        {
            return null;
        }

        return write.Snapshot is null ? "it replaces the log without a snapshot"
            : write.Entries.Count > 0 && write.Entries[0].Index != write.Snapshot.Index + 1
                ? $"entry {write.Entries[0].Index} does not follow the snapshot at {write.Snapshot.Index}"
            : null;
    }
}
