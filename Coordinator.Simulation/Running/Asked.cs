namespace Coordinator.Simulation.Running;

/// <summary>What the command line asks for.</summary>
internal sealed record Asked
{
    public long Seeds { get; init; } = 100;

    public ulong From { get; init; } = 1;

    public ulong? Seed { get; init; }

    public ulong? Shrink { get; init; }

    public long? Limit { get; init; }

    public string? Only { get; init; }

    /// <summary>A file with a client history.</summary>
    public string? Check { get; init; }

    public string? Model { get; init; }

    public Reduction Reduction { get; init; } = Reduction.None;

    public bool Trace { get; init; }

    public bool Twice { get; init; }

    public bool Bugs { get; init; }
}
