using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>A bug that is planted in a run, to prove that some invariant notices it.</summary>
internal sealed record PlantedBug
{
    public static readonly PlantedBug None = new();

    public string Name { get; init; } = "none";

    /// <summary>The rule that the bug breaks.</summary>
    public string Rule { get; init; } = "";

    public StoragePlants Storage { get; init; } = StoragePlants.None;

    /// <summary>Answers to an earlier activation are taken for answers to the present one (rule 5).</summary>
    public bool ForgesAnswers { get; init; }
}
