namespace Coordinator.Simulation.Clients;

/// <summary>When a request was sent: by its client's clock, and in real time.</summary>
internal readonly record struct SentTime(long LocalUs, long RealUs);
