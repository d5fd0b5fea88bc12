namespace Coordinator.Simulation.Invariants;

/// <summary>A holding or a wait.</summary>
/// <param name="WaitIndex">The index of the acquire.</param>
internal sealed record LockClaim(long SessionId, long RequestId, long WaitIndex, long Token);
