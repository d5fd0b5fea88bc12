using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Simulation.Storage;

/// <summary>
/// What the one statement of a write checks against the row that it has locked, and what it does to it (rules 3 and 8):
/// the same conditions as in the SQL.
/// </summary>
internal static class RowFence
{
    public static bool Admits(SimulatedRow row, PeerWrite write) =>
        row.Epoch == write.Epoch
        && row.WriteSeq == write.WriteSeq - 1
        && AdmitsHardState(row, write)
        && AdmitsLog(row, write);

    public static void Apply(SimulatedRow row, PeerWrite write, StoragePlants plants)
    {
        row.WriteSeq = write.WriteSeq;
        row.HardState = write.HardState;
        row.Sightings = write.Sightings ?? row.Sightings;
        if (write.Snapshot is { } pointer)
            row.Pointer = pointer;
        if (write.ReplaceLog)
            row.Log.Clear();
        if (write.Entries.Count > 0)
        {
            List<Entry> tail = plants.KeepsConflictingTail ? EntriesAfter(row.Log, write.Entries[^1].Index) : [];
            RemoveFrom(row.Log, write.Entries[0].Index);
            row.Log.AddRange(write.Entries);
            row.Log.AddRange(tail);
        }
        if (write.CompactThrough > 0)
            RemoveThrough(row.Log, write.CompactThrough);
    }

    private static bool AdmitsHardState(SimulatedRow row, PeerWrite write)
    {
        HardState old = row.HardState;
        HardState wanted = write.HardState;
        return (old.Term < wanted.Term || (old.Term == wanted.Term && (old.Vote.IsNone || old.Vote == wanted.Vote)))
            && old.Commit <= wanted.Commit
            && wanted.Commit <= LastAfter(row, write);
    }

    private static bool AdmitsLog(SimulatedRow row, PeerWrite write)
    {
        if (!write.ReplaceLog && write.Entries.Count > 0
            && (write.Entries[0].Index <= row.HardState.Commit || write.Entries[0].Index > row.LastIndex + 1))
            return false;
        long pointerAfter = write.Snapshot?.Index ?? row.Pointer.Index;
        return (write.Snapshot is not { } pointer
                || (pointer.Index >= row.Pointer.Index && pointer.Index <= LastAfter(row, write)))
            && write.CompactThrough <= pointerAfter;
    }

    private static long LastAfter(SimulatedRow row, PeerWrite write) =>
        write.Entries.Count > 0 ? write.Entries[^1].Index
        : write.ReplaceLog ? write.Snapshot!.Index
        : row.LastIndex;

    private static List<Entry> EntriesAfter(List<Entry> log, long index) => log.FindAll(entry => entry.Index > index);

    private static void RemoveFrom(List<Entry> log, long index)
    {
        int keep = log.Count == 0 ? 0 : (int)Math.Clamp(index - log[0].Index, 0, log.Count);
        log.RemoveRange(keep, log.Count - keep);
    }

    private static void RemoveThrough(List<Entry> log, long index)
    {
        if (log.Count > 0 && log[0].Index <= index)
            log.RemoveRange(0, (int)Math.Min(log.Count, index - log[0].Index + 1));
    }
}
