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

    public long LateMinUs { get; init; } = 1;

    public long LateMaxUs { get; init; } = 3_000_000;

    /// <summary>How long a write holds its row's lock at the least.</summary>
    public long CommitMinUs { get; init; } = 100;

    public long CommitMaxUs { get; init; } = 600;

    /// <summary>Of a write that replaces a conflicting tail: it ends late, as unknown, and has not been executed.</summary>
    public double TailReplacementLostChance { get; init; }

    /// <summary>Of activations, epoch reads and chunk writes.</summary>
    public double AnswerLostChance { get; init; }

    /// <summary>Of those whose answer is lost.</summary>
    public double LostExecutedChance { get; init; } = 0.5;
}
