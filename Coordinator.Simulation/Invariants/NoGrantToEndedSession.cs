namespace Coordinator.Simulation.Invariants;

/// <summary>Nothing is granted to a session that has ended (rule 17).</summary>
internal sealed class NoGrantToEndedSession(HoldingLedger ledger) : Invariant
{
    protected override string Name => "no grant to an ended session";

    public override void Granting(long index, Claimed claim) => Require(
        claim.SessionId == 0 || ledger.IsAlive(claim.SessionId),
        () => $"entry {index} grants {claim}, whose session has ended");
}
