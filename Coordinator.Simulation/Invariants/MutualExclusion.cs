namespace Coordinator.Simulation.Invariants;

/// <summary>In log order, a lock is granted only while nobody holds it.</summary>
internal sealed class MutualExclusion : Invariant
{
    protected override string Name => "mutual exclusion";

    public override void Granting(CommittedEntry entry, LockView view, LockClaim claim, long floor) => Require(
        view.Holder is null,
        () => $"entry {entry.Index} grants {view.Name} to session {claim.SessionId}, session {view.Holder!.SessionId} holds it");
}
