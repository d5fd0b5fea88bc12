using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

/// <summary>The net catches fish: bugs that a few seeds show. The rest need more, and a command of their own.</summary>
public sealed class PlantedBugTests
{
    [Theory]
    [InlineData("an old append cuts the tail", 10)]
    [InlineData("a vote for a shorter log", 40)]
    [InlineData("an older term's entry committed by counting", 80)]
    [InlineData("ReadIndex without a quorum", 30)]
    [InlineData("vote requests leave before the write", 10)]
    [InlineData("answers when appended", 10)]
    [InlineData("a leader's clock of its own", 10)]
    [InlineData("a grant to an ended session", 20)]
    [InlineData("a holding outlives its session", 10)]
    [InlineData("the last in line first", 10)]
    [InlineData("a token used again", 10)]
    [InlineData("a repeat executed again", 10)]
    [InlineData("results left out of the snapshot", 20)]
    [InlineData("sessions that expire early", 10)]
    [InlineData("a cancelled wait that goes on", 10)]
    [InlineData("a fence without the row lock", 60)]
    [InlineData("re-activation that only looks", 30)]
    [InlineData("acknowledged before the write", 10)]
    [InlineData("an unknown outcome taken for success", 30)]
    [InlineData("a conflicting tail left in place", 20)]
    [InlineData("a repeat outside a session", 30)]
    public void A_planted_bug_is_noticed(string name, int seeds)
    {
        PlantedBug bug = PlantedBugs.All.Single(planted => planted.Name == name);
        (long _, string? message) = BugHunt.Hunt(bug, seeds);
        Assert.NotNull(message);
    }

    [Fact]
    public void Every_bug_that_can_be_planted_is_in_the_list()
    {
        Assert.Equal(
            Enum.GetValues<SeededRaftBug>().Except([SeededRaftBug.None]),
            PlantedBugs.All.Select(bug => bug.Raft).Where(bug => bug != SeededRaftBug.None).Order());
        Assert.Equal(
            Enum.GetValues<SeededBug>().Except([SeededBug.None]),
            PlantedBugs.All.Select(bug => bug.Replica).Where(bug => bug != SeededBug.None).Order());
    }

    [Fact]
    public void A_run_leaves_no_bug_planted_behind()
    {
        BugHunt.Hunt(PlantedBugs.All.First(bug => bug.Replica != SeededBug.None), 1);
        Assert.Equal(SeededBug.None, SeededBugs.Planted);
        Assert.Equal(SeededRaftBug.None, SeededRaftBugs.Planted);
    }
}
