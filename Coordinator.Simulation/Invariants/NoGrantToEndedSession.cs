namespace Coordinator.Simulation.Invariants;

/// <summary>Nothing is granted to a session that has ended (rule 17).</summary>
internal sealed class NoGrantToEndedSession(LockLedger ledger) : Invariant
{
    protected override string Name => "no grant to an ended session";

    public override void Granting(CommittedEntry entry, LockView view, LockClaim claim, long floor) => Require(
        ledger.IsAlive(claim.SessionId),
        () => $"entry {entry.Index} grants {view.Name} to session {claim.SessionId}, which has ended");
}
