namespace Coordinator.Simulation.Network;

/// <summary>How the network treats a message.</summary>
internal sealed record NetworkFaults
{
    public double LossChance { get; init; }

    public double DuplicationChance { get; init; }

    /// <summary>Of a message that takes far longer than the others, and so is overtaken by them.</summary>
    public double StragglerChance { get; init; }

    public long StragglerMaxUs { get; init; } = 2_000_000;

    public long DelayMinUs { get; init; } = 100;

    public long DelayMaxUs { get; init; } = 1_500;
}
