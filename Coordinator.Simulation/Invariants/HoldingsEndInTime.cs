using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>In log time a maximum hold, or a lease that is not renewed, ends neither late nor early.</summary>
internal sealed class HoldingsEndInTime(HoldingLedger ledger) : Invariant
{
    protected override string Name => "holdings end in time";

    public override void RanOut(long index, Claimed claim) => Require(
        claim.EndsUs <= ledger.LogTimeUs, () => $"entry {index} ends {claim} at {ledger.LogTimeUs}, before {claim.EndsUs}");

    public override void Committed(PeerProcess process, CommittedEntry entry) => Check(entry.Index);

    public void Check(long index)
    {
        foreach (Claimed held in ledger.Held)
            Require(held.EndsUs > ledger.LogTimeUs, () => $"after entry {index} at {ledger.LogTimeUs} {held} goes on past {held.EndsUs}");
    }
}
