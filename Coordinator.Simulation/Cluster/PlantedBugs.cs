using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>The bugs that the simulator must notice.</summary>
internal static class PlantedBugs
{
    public static readonly IReadOnlyList<PlantedBug> All =
    [
        InStorage("fence without the row lock", "rule 3", new() { FenceWithoutRowLock = true }),
        InStorage("fence without the write's number", "rule 3", new() { FenceWithoutWriteSeq = true }),
        InStorage("re-activation that only looks", "rule 4", new() { ReactivationOnlyLooks = true }),
        InStorage("re-activation that takes back from anyone", "rule 4", new() { ReactivationUnconditional = true }),
        InStorage("a database gone back in time goes unnoticed", "rule 4", new() { ReactivationIgnoresRollback = true }),
        InStorage("an emptied database that votes", "rule 1", new() { ActivationInserts = true }),
        InStorage("state loaded before the activation", "rule 2", new() { LoadsBeforeActivation = true }),
        InStorage("a vote forgotten by a restart", "Raft 5.2", new() { ForgetsVote = true }),
        InStorage("acknowledged before the write", "rule 5", new() { AcknowledgesEarly = true }),
        InStorage("an unknown outcome taken for success", "rule 7", new() { UnknownIsCommitted = true }),
        InStorage("reads without the epoch read", "rule 6", new() { EpochFromMemory = true }),
        InStorage("a conflicting tail left in place", "rule 8", new() { KeepsConflictingTail = true }),
        new() { Name = "answers to an earlier activation accepted", Rule = "rule 5", ForgesAnswers = true },
    ];

    private static PlantedBug InStorage(string name, string rule, StoragePlants plants) =>
        new() { Name = name, Rule = rule, Storage = plants };
}
