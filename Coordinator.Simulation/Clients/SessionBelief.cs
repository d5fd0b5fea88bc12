namespace Coordinator.Simulation.Clients;

/// <summary>A session as its client sees it now.</summary>
internal sealed record SessionBelief(long Id, long TtlUs, SimulatedClient Client, Func<bool> IsAlive);
