using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>A program that uses the cluster. Invariant: it acts only on what it has been told, and on its own clock.</summary>
internal abstract class SimulatedClient(int number, NodeClock clock)
{
    public int Number { get; } = number;

    public NodeClock Clock { get; } = clock;

    /// <summary>Nothing is asked for any more, and the session has been ended.</summary>
    public abstract bool IsIdle { get; }

    public abstract void Start();

    /// <summary>From then on it begins nothing new, and keeps what it has.</summary>
    public abstract void Rest();

    /// <summary>Asks for nothing new, gives back what it holds, and ends its session.</summary>
    public abstract void Drain();

    /// <summary>As a process that was killed: a new one knows nothing of it.</summary>
    public abstract void Vanish();

    public abstract string Describe();
}
