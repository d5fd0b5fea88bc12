using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Invariants;
using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

/// <summary>
/// What clients saw would have been enough: with every invariant off that looks inside, the check of their histories
/// notices these bugs by itself.
/// </summary>
public sealed class ClientHistoryTests
{
    /// <summary>Far more than they take today: any change to the code changes which seeds show a bug.</summary>
    private const ulong SeedsMax = 300;

    [Theory]
    // Stale reads.
    [InlineData("ReadIndex without a quorum")]
    // Lost writes.
    [InlineData("answers when appended")]
    // Writes that happen twice.
    [InlineData("a repeat executed again")]
    [InlineData("a repeat outside a session")]
    // Conditions that decide nothing.
    [InlineData("the first branch done for the second")]
    // Grants that nobody asked for any more, or that somebody still had.
    [InlineData("a cancelled wait that goes on")]
    [InlineData("a token used again")]
    [InlineData("a grant to an ended session")]
    [InlineData("sessions that expire early")]
    public void Client_histories_alone_show_a_planted_bug(string name)
    {
        PlantedBug bug = PlantedBugs.All.Single(planted => planted.Name == name) with { IsJudgedByHistoriesAlone = true };
        ulong seed = 1;
        while (seed <= SeedsMax && !IsShown(seed, bug))
            seed++;
        Assert.InRange(seed, 1UL, SeedsMax);
    }

    [Fact]
    public void A_run_checks_the_histories_of_its_clients()
    {
        Happenings happenings = SimulationRun.Run(1, PlantedBug.None).Happenings;
        Assert.InRange(happenings[Happening.HistoryChecked], 2, long.MaxValue);
        Assert.InRange(happenings[Happening.HistoryOperationChecked], 100, long.MaxValue);
    }

    private static bool IsShown(ulong seed, PlantedBug bug)
    {
        try
        {
            SimulationRun.Run(seed, bug);
            return false;
        }
        // A run may also break off in another way, or be undecided: that proves nothing here.
        catch (InvariantViolation violation)
        {
            return violation.Invariant == LinearizableHistories.InvariantName
                && violation.Message.Contains("NotLinearizable", StringComparison.Ordinal);
        }
    }
}
