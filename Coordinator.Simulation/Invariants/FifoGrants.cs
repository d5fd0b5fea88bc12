namespace Coordinator.Simulation.Invariants;

/// <summary>Who waits first is granted first, in the order of the log; nobody passes the queue.</summary>
internal sealed class FifoGrants : Invariant
{
    protected override string Name => "first in, first out";

    public override void Granting(CommittedEntry entry, LockView view, LockClaim claim, long floor) => Require(
        view.Waiting.Count == 0 || view.Waiting[0].WaitIndex == claim.WaitIndex,
        () => $"entry {entry.Index} grants {view.Name} to the acquire at {claim.WaitIndex}; the one at {view.Waiting[0].WaitIndex} waits before it");
}
