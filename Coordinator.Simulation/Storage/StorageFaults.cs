namespace Coordinator.Simulation.Storage;

/// <summary>How badly a database behaves now. All zero: as a healthy one.</summary>
internal sealed record StorageFaults
{
    public static readonly StorageFaults None = new();

    public double SlowChance { get; init; }

    public long SlowMaxUs { get; init; } = 2_000_000;

    /// <summary>Refused by the server: nothing was written, for certain.</summary>
    public double FailedChance { get; init; }

    public double UnknownNotExecutedChance { get; init; }

    public double UnknownExecutedChance { get; init; }

    /// <summary>Reported as unknown first, executed afterwards.</summary>
    public double UnknownLateChance { get; init; }

    /// <summary>Of activations, epoch reads and chunk writes.</summary>
    public double AnswerLostChance { get; init; }
}
