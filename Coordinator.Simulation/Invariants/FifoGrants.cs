namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Who waits first is granted first, in the order of the log, in every queue that it stands in; nobody passes, but who
/// upgrades and whom a leader has named (rule 20).
/// </summary>
internal sealed class FifoGrants : Invariant
{
    protected override string Name => "first in, first out";

    public override void Granting(long index, Claimed claim) => Require(
        claim.View.Waiting.Count == 0 || claim.View.Waiting[0].WaitIndex == claim.WaitIndex || claim.IsUpgrade
            || claim.View.HeirSessionId == claim.SessionId,
        () => $"entry {index} grants {claim}; before it waits {claim.View.Waiting[0]}");
}
