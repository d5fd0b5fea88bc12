using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Running;

namespace Coordinator.Tests.Simulation;

/// <summary>The net catches fish: bugs that a few seeds show. The rest need more, and a command of their own.</summary>
public sealed class PlantedBugTests
{
    /// <summary>Far more than they take today: any change to the code changes which seeds show a bug.</summary>
    private const int SeedsMax = 500;

    [Theory]
    [InlineData("an old append cuts the tail")]
    [InlineData("a vote for a shorter log")]
    [InlineData("an older term's entry committed by counting")]
    [InlineData("ReadIndex without a quorum")]
    [InlineData("a watch from now without a quorum")]
    [InlineData("a watch that a snapshot passes over")]
    [InlineData("a revision told twice")]
    [InlineData("a progress mark ahead of the revision")]
    [InlineData("an election that nobody is told of")]
    [InlineData("an election observed from the own state")]
    [InlineData("a loss that is not noticed")]
    [InlineData("a request to let go that nobody hears")]
    [InlineData("a slow consumer's items dropped")]
    [InlineData("a slow consumer forgotten")]
    [InlineData("a watch taken up again from now")]
    [InlineData("vote requests leave before the write")]
    [InlineData("answers when appended")]
    [InlineData("a leader's clock of its own")]
    [InlineData("a grant to an ended session")]
    [InlineData("a holding outlives its session")]
    [InlineData("the last in line first")]
    [InlineData("a token used again")]
    [InlineData("a repeat executed again")]
    [InlineData("results left out of the snapshot")]
    [InlineData("sessions that expire early")]
    [InlineData("a cancelled wait that goes on")]
    [InlineData("one compare that holds is enough")]
    [InlineData("the first branch done for the second")]
    [InlineData("a bound key outlives its session")]
    [InlineData("a roll-back that keeps new keys")]
    [InlineData("history left out of the snapshot")]
    [InlineData("compaction at a replica's own pace")]
    [InlineData("a read at the next revision")]
    [InlineData("the own revision taken for the group's")]
    [InlineData("a level raised by the leader alone")]
    [InlineData("a hash that nobody compares")]
    [InlineData("storage that isn't compared")]
    [InlineData("a shared request that passes the queue")]
    [InlineData("more permits than the limit")]
    [InlineData("a part of several granted")]
    [InlineData("a floor that is the own token")]
    [InlineData("a hold beyond its maximum")]
    [InlineData("a lock delay ignored")]
    [InlineData("deadlocks unseen")]
    [InlineData("a lease not renewed")]
    [InlineData("a fence without the row lock")]
    [InlineData("re-activation that only looks")]
    [InlineData("acknowledged before the write")]
    [InlineData("an unknown outcome taken for success")]
    [InlineData("a conflicting tail left in place")]
    [InlineData("a repeat outside a session")]
    public void A_planted_bug_is_noticed(string name)
    {
        PlantedBug bug = PlantedBugs.All.Single(planted => planted.Name == name);
        (long _, string? message) = BugHunt.Hunt(bug, SeedsMax);
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
