namespace Coordinator.Simulation.Invariants;

/// <summary>After a holder's death nobody is granted what it held, for as long as it had asked, in log time.</summary>
internal sealed class LockDelays(HoldingLedger ledger) : Invariant
{
    protected override string Name => "lock delays";

    public override void Granting(long index, Claimed claim) => Require(
        claim.View.KeptOutUntilUs <= ledger.LogTimeUs,
        () => $"entry {index} grants {claim} at {ledger.LogTimeUs}, kept from everybody until {claim.View.KeptOutUntilUs}");
}
