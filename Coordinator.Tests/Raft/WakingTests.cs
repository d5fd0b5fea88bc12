using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>What a peer makes of a time in which nobody was to say anything.</summary>
public sealed class WakingTests
{
    [Fact]
    public void A_leader_is_at_rest_only_when_all_have_all_and_know_it_committed()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        RawNode leader = group.Elect(1).Raft;
        Assert.True(leader.IsLeaderAtRest);
        Assert.False(group[2].Raft.IsLeaderAtRest);

        group.Isolate(3);
        leader.Propose(new byte[] { 1 });
        Assert.False(leader.IsLeaderAtRest);
        group.Settle();
        Assert.False(leader.IsLeaderAtRest);

        group.Heal();
        group.TickAll(3);
        Assert.True(leader.IsLeaderAtRest);
    }

    [Fact]
    public void A_leader_with_a_read_or_a_transfer_under_way_is_not_at_rest()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        RawNode leader = group.Elect(1).Raft;
        group.Isolate(1);
        leader.ReadIndex(new byte[] { 1 });
        group.Settle();
        Assert.False(leader.IsLeaderAtRest);

        group = new(3, o => o with { CheckQuorum = true });
        leader = group.Elect(1).Raft;
        group.Isolate(2);
        leader.TransferLeader(new PeerId(2));
        group.Settle();
        Assert.False(leader.IsLeaderAtRest);
    }

    [Fact]
    public void A_leader_that_wakes_has_a_whole_time_out_and_counts_nobody_who_answered_before()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        RawNode leader = group.Elect(1).Raft;
        for (int i = 0; i < 9; i++)
            group.TickAll(1);
        group.Isolate(1);
        leader.Wake();
        Assert.All(leader.GetStatus().Progress, progress => Assert.Equal(progress.Peer == leader.Id, progress.RecentActive));

        group[1].Tick(9);
        Assert.True(leader.IsLeader);
        group[1].Tick(1);
        Assert.False(leader.IsLeader);
    }

    [Fact]
    public void A_follower_that_wakes_gives_its_leader_a_whole_time_out()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true, PreVote = true });
        group.Elect(1);
        group[2].Raft.ElectionTimer.Override(10);
        group[2].Tick(9);
        group[2].Raft.Wake();
        group[2].Tick(9);
        Assert.Equal(RaftState.Follower, group[2].Raft.State);

        group[2].Tick(1);
        Assert.Equal(RaftState.PreCandidate, group[2].Raft.State);
    }

    [Fact]
    public void A_leader_that_wakes_sends_heartbeats_with_its_first_tick()
    {
        RaftGroup group = new(3, o => o with { HeartbeatTicks = 5 });
        RawNode leader = group.Elect(1).Raft;
        leader.Wake();
        leader.Tick();

        Assert.Equal(2, group[1].Work().Count(message => message.Type == MessageType.Heartbeat));
    }
}
