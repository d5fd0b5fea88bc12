using Coordinator.Replica.Storage;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// No write of an older activation lands after a newer one has committed, and none lands twice or out of its order
/// (rule 3).
/// </summary>
internal sealed class EpochFence : Invariant
{
    private readonly Dictionary<PeerKey, long> _epochs = [];
    private readonly Dictionary<PeerKey, long> _writes = [];

    protected override string Name => "epoch fence";

    public override void RowActivated(PeerKey key, long epoch) =>
        _epochs[key] = Math.Max(epoch, _epochs.GetValueOrDefault(key));

    public override void Landing(SimulatedRow before, PeerWrite write)
    {
        long newest = _epochs.GetValueOrDefault(write.Key);
        Require(write.Epoch == newest, () => $"write {write.WriteSeq} of peer {write.Key}, activation {write.Epoch}, lands after activation {newest}");
        long last = _writes.GetValueOrDefault(write.Key);
        Require(write.WriteSeq == last + 1 || last == 0, () => $"write {write.WriteSeq} of peer {write.Key} lands after write {last}");
        _writes[write.Key] = write.WriteSeq;
    }
}
