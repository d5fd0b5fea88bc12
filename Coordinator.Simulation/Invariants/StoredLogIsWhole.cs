using Coordinator.Replica.Storage;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A stored log has no gap, its terms never fall, and it reaches from the snapshot, or before it, to the commit index or
/// beyond (rule 8): what is loaded again can be gone on with.
/// </summary>
internal sealed class StoredLogIsWhole : Invariant
{
    private readonly Dictionary<PeerKey, long> _last = [];

    protected override string Name => "the stored log is whole";

    public override void Landing(SimulatedRow before, PeerWrite write)
    {
        if (_last.TryGetValue(write.Key, out long written))
            Require(before.LastIndex == written, () => $"peer {write.Key}: the stored log ends at {before.LastIndex}, it was written up to {written}");
        _last[write.Key] = write.Entries.Count > 0 ? write.Entries[^1].Index : write.ReplaceLog ? write.Snapshot!.Index : before.LastIndex;
        if (write.Entries.Count > 0)
        {
            long last = write.ReplaceLog ? write.Snapshot!.Index : before.LastIndex;
            long first = write.Entries[0].Index;
            Require(first <= last + 1, () => $"peer {write.Key}: entry {first} is stored after entry {last}");
        }
        Require(
            before.HardState.Commit <= before.LastIndex,
            () => $"peer {write.Key}: commit index {before.HardState.Commit} is stored, and entries up to {before.LastIndex}");
        Require(
            before.Log.Count == 0 || before.Log[^1].Index - before.Log[0].Index == before.Log.Count - 1,
            () => $"peer {write.Key}: {before.Log.Count} entries are stored from {before.Log[0].Index} to {before.Log[^1].Index}");
        Require(
            before.Log.Count == 0 || before.Log[0].Index <= before.Pointer.Index + 1,
            () => $"peer {write.Key}: the stored log begins at {before.Log[0].Index}, the snapshot is at {before.Pointer.Index}");
    }
}
