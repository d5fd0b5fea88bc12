using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>A bug that is planted in a run, to prove that some invariant notices it.</summary>
internal sealed record PlantedBug
{
    public static readonly PlantedBug None = new();

    public string Name { get; init; } = "none";

    /// <summary>The rule that the bug breaks.</summary>
    public string Rule { get; init; } = "";

    public SeededRaftBug Raft { get; init; }

    public SeededBug Replica { get; init; }

    public StoragePlants Storage { get; init; } = StoragePlants.None;

    /// <summary>Answers to an earlier activation are taken for answers to the present one (rule 5).</summary>
    public bool ForgesAnswers { get; init; }

    /// <summary>The client's deadline runs from when an answer came instead of from when the keep-alive was sent (rule 13).</summary>
    public bool DeadlineFromAnswer { get; init; }

    /// <summary>The client doesn't watch its deadline (rule 13).</summary>
    public bool IgnoresDeadline { get; init; }

    /// <summary>A peer that has left is switched off before a quorum of the others knows for certain.</summary>
    public bool RetiresAtOnce { get; init; }

    /// <summary>Whoever planted it wants to know whether what clients saw would have been enough to notice it.</summary>
    public bool IsJudgedByHistoriesAlone { get; init; }

    /// <summary>The library hears of no wall clock: a sleep of its machine stays unnoticed (rule 13).</summary>
    public bool TrustsMonotonicClock { get; init; }

    /// <summary>What arrives for a slow consumer of a stream is dropped.</summary>
    public bool DropsSlowConsumersItems { get; init; }

    /// <summary>The library is not told that a consumer has caught up.</summary>
    public bool ForgetsSlowConsumers { get; init; }

    /// <summary>Each watch begins with what is now, one that is taken up again too (rule 22).</summary>
    public bool ResumesFromNow { get; init; }

    /// <summary>A client repeats what it got no answer to outside a session (rule 15).</summary>
    public bool RepeatsOutsideSession { get; init; }
}
