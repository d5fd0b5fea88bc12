using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>Handing leadership over: thesis §3.10.</summary>
public sealed class TransferTests
{
    private static readonly PeerId Three = new(3);

    [Fact]
    public void Leadership_goes_to_a_peer_that_is_up_to_date()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true, PreVote = true });
        GroupPeer leader = group.Elect(1);

        leader.Raft.TransferLeader(Three);
        group.Settle();

        Assert.True(group[3].Raft.IsLeader);
        Assert.Equal(Three, leader.Raft.Leader);
        Assert.DoesNotContain(group.Sent, m => m.Type == MessageType.PreVote && m.From == Three);
    }

    [Fact]
    public void A_slow_peer_catches_up_first()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        group.Isolate(3);
        leader.Propose("x");
        group.Settle();
        group.Heal();
        leader.Tick(1);

        leader.Raft.TransferLeader(Three);
        group.Settle();

        Assert.True(group[3].Raft.IsLeader);
        Assert.Equal("x", group[3].AppliedText);
    }

    [Fact]
    public void A_peer_that_needs_a_snapshot_catches_up_first()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        group.Isolate(3);
        leader.Propose("x");
        leader.Propose("y");
        group.Settle();
        leader.Storage.CreateSnapshot(3, leader.Members, default);
        leader.Storage.Compact(3);
        group.Heal();

        leader.Raft.TransferLeader(Three);
        group.TickAll(1);

        Assert.True(group[3].Raft.IsLeader);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(4)]
    public void A_transfer_to_the_leader_itself_or_a_stranger_or_a_learner_is_ignored(int to)
    {
        RaftGroup group = new(3, learners: 1);
        GroupPeer leader = group.Elect(1);

        leader.Raft.TransferLeader(new PeerId(to));
        group.Settle();

        Assert.True(leader.Raft.IsLeader);
        Assert.Equal(PeerId.None, leader.Raft.LeadTransferee);
        Assert.Equal(ProposalResult.Appended, leader.Propose("x"));
    }

    [Fact]
    public void A_follower_sends_the_wish_to_its_leader()
    {
        RaftGroup group = new(3);
        group.Elect(1);

        group[2].Raft.TransferLeader(Three);
        group.Settle();

        Assert.True(group[3].Raft.IsLeader);
    }

    [Fact]
    public void Meanwhile_proposals_are_refused()
    {
        RaftGroup group = WithTransferUnderWay(out GroupPeer leader);

        Assert.Equal(ProposalResult.Transferring, leader.Propose("x"));
        Assert.Equal(ProposalResult.Forwarded, group[2].Propose("x"));
        group.Settle();
        Assert.Equal("", leader.AppliedText);
    }

    [Fact]
    public void A_transfer_that_takes_an_election_time_out_is_given_up()
    {
        RaftGroup group = WithTransferUnderWay(out GroupPeer leader);

        for (int i = 0; i < 10; i++)
        {
            leader.Tick(1);
            group.Settle();
        }

        Assert.True(leader.Raft.IsLeader);
        Assert.Equal(PeerId.None, leader.Raft.LeadTransferee);
        Assert.Equal(ProposalResult.Appended, leader.Propose("x"));
    }

    [Fact]
    public void A_second_wish_for_the_same_peer_does_not_prolong_the_first()
    {
        RaftGroup group = WithTransferUnderWay(out GroupPeer leader);
        leader.Tick(9);

        leader.Raft.TransferLeader(Three);
        leader.Tick(1);

        Assert.Equal(PeerId.None, leader.Raft.LeadTransferee);
        Assert.NotNull(group.Leader);
    }

    [Fact]
    public void A_wish_for_another_peer_replaces_the_one_under_way()
    {
        RaftGroup group = WithTransferUnderWay(out GroupPeer leader);

        leader.Raft.TransferLeader(new PeerId(2));
        group.Settle();

        Assert.True(group[2].Raft.IsLeader);
    }

    [Fact]
    public void A_wish_for_the_leader_itself_ends_the_one_under_way()
    {
        WithTransferUnderWay(out GroupPeer leader);

        leader.Raft.TransferLeader(leader.Id);

        Assert.Equal(PeerId.None, leader.Raft.LeadTransferee);
    }

    [Fact]
    public void A_transfer_to_a_peer_that_is_then_removed_is_given_up()
    {
        RaftGroup group = WithTransferUnderWay(out GroupPeer leader);

        leader.Raft.ApplyConfChange(new ConfChange(ConfChangeType.RemoveNode, Three).ToV2());

        Assert.Equal(PeerId.None, leader.Raft.LeadTransferee);
        Assert.Equal([1, 2], leader.Raft.Configuration.Voters.Incoming.Select(id => id.Value));
        Assert.NotNull(group.Leader);
    }

    [Fact]
    public void A_leader_that_sees_a_higher_term_gives_its_transfer_up()
    {
        WithTransferUnderWay(out GroupPeer leader);

        leader.Raft.Step(new Message
        {
            Type = MessageType.Heartbeat,
            From = new PeerId(2),
            To = leader.Id,
            Term = leader.Raft.Term.Next,
        });

        Assert.Equal(PeerId.None, leader.Raft.LeadTransferee);
    }

    private static RaftGroup WithTransferUnderWay(out GroupPeer leader)
    {
        RaftGroup group = new(3);
        leader = group.Elect(1);
        group.Isolate(3);
        leader.Raft.TransferLeader(Three);
        group.Settle();
        Assert.Equal(Three, leader.Raft.LeadTransferee);
        return group;
    }
}
