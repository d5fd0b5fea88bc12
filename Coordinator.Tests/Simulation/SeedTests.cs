using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Faults;
using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

/// <summary>The short form of the simulator's runs. The long one is a command of its own.</summary>
public sealed class SeedTests
{
    private const ulong First = 1;
    private const ulong Count = 60;

    /// <summary>These need longer runs than an everyday one.</summary>
    private static readonly Happening[] Rare =
    [
        Happening.StateAheadOfStoredLog, Happening.LateWriteLanded, Happening.ChunkWriteFailed, Happening.WriteBusy,
        Happening.Quarantined, Happening.ActivationAnswerLost, Happening.SnapshotOutlivedItsLeader,
        Happening.SleepOutlivedSession, Happening.DivergenceFound, Happening.FeatureLevelRaised, Happening.DeadlockRefused, Happening.HandedOver,
        Happening.UpgradeGranted, Happening.MessageClogged, Happening.TransactionRepeatedInLaterTerm,
    ];

    private static readonly FaultKind[] RareFaults = [FaultKind.DatabaseEmptied, FaultKind.DatabaseRolledBack, FaultKind.RowAltered];

    [Fact]
    public void Whole_clusters_keep_every_invariant_under_faults_and_serve_again_afterwards()
    {
        var total = new Happenings();
        for (ulong seed = First; seed < First + Count; seed++)
        {
            try
            {
                total.Add(SimulationRun.Run(seed, PlantedBug.None).Happenings);
            }
            catch (InvariantViolation violation)
            {
                Assert.Fail($"{violation.Message}\n{FailureReport.ReplayCommand(seed, PlantedBug.None, Reduction.None)}\n{violation}");
            }
        }

        Assert.Empty(total.Missing().Except(Rare));
        Assert.Empty(total.MissingFaults().Except(RareFaults));
        Assert.Equal((long)Count, total[Happening.Converged]);
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(7UL)]
    [InlineData(42UL)]
    [InlineData(754UL)]
    public void The_same_seed_gives_the_same_trace(ulong seed)
    {
        using var first = new StringWriter();
        using var second = new StringWriter();
        SimulationRun.Run(seed, PlantedBug.None, first);
        SimulationRun.Run(seed, PlantedBug.None, second);
        Assert.NotEmpty(first.ToString());
        Assert.Equal(first.ToString(), second.ToString());
    }

    [Fact]
    public void Another_seed_gives_another_trace()
    {
        RunResult first = SimulationRun.Run(2, PlantedBug.None, hashesTrace: true);
        RunResult second = SimulationRun.Run(3, PlantedBug.None, hashesTrace: true);
        Assert.NotEqual(first.TraceHash, second.TraceHash);
    }
}
