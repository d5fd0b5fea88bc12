using Coordinator.Grains;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Tests.Grains;

public sealed class GroupTurnsTests
{
    private static readonly GroupMembership Members = new()
    {
        ClusterId = Guid.NewGuid(),
        Group = 0,
        ConfState = new ConfState { Voters = [new PeerId(1), new PeerId(2), new PeerId(3)] },
        Peers = [.. Enumerable.Range(1, 3).Select(id => new PeerRecord(new PeerId(id), Guid.NewGuid(), $"silo{id}"))],
        NextPeerId = new PeerId(4),
    };

    [Fact]
    public void Each_peer_has_a_turn_of_its_own_in_every_group()
    {
        for (int group = 0; group < 12; group++)
            Assert.Equal([0, 1, 2], Enumerable.Range(1, 3).Select(id => TurnOf(id, group)).Order());
    }

    [Fact]
    public void As_many_groups_begin_with_each_peer()
    {
        for (int id = 1; id <= 3; id++)
            Assert.Equal(20, Enumerable.Range(0, 60).Count(group => TurnOf(id, group) == 0));
    }

    [Fact]
    public void The_groups_of_a_lost_peer_go_to_the_others_half_and_half()
    {
        for (int lost = 1; lost <= 3; lost++)
        {
            int[] groups = [.. Enumerable.Range(0, 60).Where(group => TurnOf(lost, group) == 0)];
            foreach (int other in Enumerable.Range(1, 3).Where(id => id != lost))
                Assert.Equal(10, groups.Count(group => TurnOf(other, group) == 1));
        }
    }

    [Fact]
    public void A_single_group_goes_by_the_ids() =>
        Assert.Equal([0, 1, 2], Enumerable.Range(1, 3).Select(id => TurnOf(id, 0)));

    private static int TurnOf(int id, int group) => GroupTurns.Of(new PeerId(id), group, Members);
}
