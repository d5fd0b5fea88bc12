using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>CheckQuorum, leader stickiness, PreVote, ForgetLeader, and who may campaign at all.</summary>
public sealed class QuorumAndPreVoteTests
{
    [Fact]
    public void A_leader_that_no_quorum_answers_steps_down_within_two_election_time_outs()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        GroupPeer leader = group.Elect(1);
        group.Isolate(1);

        leader.Tick(20);

        Assert.Equal(RaftState.Follower, leader.Raft.State);
        Assert.Equal(PeerId.None, leader.Raft.Leader);
    }

    [Fact]
    public void A_leader_that_a_quorum_answers_stays()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        GroupPeer leader = group.Elect(1);
        group.Isolate(3);

        for (int i = 0; i < 100; i++)
        {
            leader.Tick(1);
            group.Settle();
        }

        Assert.True(leader.Raft.IsLeader);
    }

    [Fact]
    public void A_peer_that_hears_a_leader_does_not_help_to_depose_it()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        group.Elect(1);
        Term term = group[2].Raft.Term;

        group[3].Raft.Campaign();
        group.Settle();

        Assert.Equal(term, group[2].Raft.Term);
        Assert.Equal(new PeerId(1), group[2].Raft.Leader);
    }

    [Fact]
    public void A_peer_whose_leader_is_silent_for_an_election_time_out_votes_again()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        group.Elect(1);
        group.Isolate(1);

        group[2].Raft.ElectionTimer.Override(100);
        group[2].Tick(10);
        group[3].Raft.Campaign();
        group.Settle();

        Assert.True(group[3].Raft.IsLeader);
    }

    [Fact]
    public void A_peer_that_forgot_its_leader_votes_at_once()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        group.Elect(1);
        group.Isolate(1);

        group[2].Raft.ForgetLeader();
        group[3].Raft.ForgetLeader();
        group[3].Raft.Campaign();
        group.Settle();

        Assert.True(group[3].Raft.IsLeader);
    }

    [Fact]
    public void With_lease_based_reads_a_follower_does_not_forget_its_leader()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true, ReadOnlyOption = ReadOnlyOption.LeaseBased });
        group.Elect(1);

        group[2].Raft.ForgetLeader();

        Assert.Equal(new PeerId(1), group[2].Raft.Leader);
    }

    [Fact]
    public void A_leader_does_not_forget_itself()
    {
        RaftGroup group = new(3);
        group.Elect(1).Raft.ForgetLeader();

        Assert.True(group[1].Raft.IsLeader);
        Assert.Equal(new PeerId(1), group[1].Raft.Leader);
    }

    [Fact]
    public void With_pre_vote_a_peer_cut_off_does_not_raise_its_term_and_disturbs_nobody_when_it_returns()
    {
        RaftGroup group = new(3, o => o with { PreVote = true, CheckQuorum = true });
        group.Elect(1);
        Term term = group[1].Raft.Term;
        group.Isolate(3);
        group.TickAll(100);
        Assert.Equal(RaftState.PreCandidate, group[3].Raft.State);
        Assert.Equal(term, group[3].Raft.Term);

        group.Heal();
        group.TickAll(30);

        Assert.True(group[1].Raft.IsLeader);
        Assert.Equal(term, group[3].Raft.Term);
        Assert.Equal(new PeerId(1), group[3].Raft.Leader);
    }

    [Fact]
    public void Without_pre_vote_a_peer_that_returns_with_a_higher_term_is_freed_by_an_election()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true });
        group.Elect(1);
        group.Isolate(3);
        group.TickAll(100);
        Assert.True(group[3].Raft.Term > group[1].Raft.Term);

        group.Heal();
        group.TickAll(60);

        Assert.NotNull(group.Leader);
        Assert.All([1, 2, 3], id => Assert.Equal(group.Leader.Id, group[id].Raft.Leader));
    }

    [Fact]
    public void A_pre_vote_promises_nothing()
    {
        RaftGroup group = new(3, o => o with { PreVote = true });
        Message PreVoteOf(int from) => new()
        {
            Type = MessageType.PreVote,
            From = new PeerId(from),
            To = new PeerId(1),
            Term = new Term(5),
        };

        group[1].Raft.Step(PreVoteOf(2));
        group[1].Raft.Step(PreVoteOf(3));
        IReadOnlyList<Message> answers = group[1].Work();

        Assert.Equal(2, answers.Count(m => m.Type == MessageType.PreVoteResp && !m.Reject && m.Term == new Term(5)));
        Assert.Equal(Term.Zero, group[1].Raft.Term);
        Assert.Equal(PeerId.None, group[1].Raft.Vote);
    }

    [Fact]
    public void With_pre_vote_a_group_elects_a_leader()
    {
        RaftGroup group = new(3, o => o with { PreVote = true, CheckQuorum = true });

        group.TickAll(30);

        Assert.NotNull(group.Leader);
        Assert.Contains(group.Sent, m => m.Type == MessageType.PreVote);
    }

    [Fact]
    public void A_learner_never_campaigns_but_votes()
    {
        RaftGroup group = new(2, learners: 1);
        group[3].Tick(100);
        Assert.Equal(RaftState.Follower, group[3].Raft.State);

        group[3].Raft.Step(new Message
        {
            Type = MessageType.Vote,
            From = new PeerId(1),
            To = new PeerId(3),
            Term = new Term(1),
        });

        Assert.False(group[3].Work().Single(m => m.Type == MessageType.VoteResp).Reject);
    }

    [Fact]
    public void A_peer_with_a_membership_change_to_apply_does_not_campaign()
    {
        RaftGroup group = new(3, o => o with { AsyncStorageWrites = true });
        RawNode raft = group[2].Raft;
        Entry change = new(
            new Term(1), 1, EntryType.ConfChangeV2, new ConfChange(ConfChangeType.RemoveNode, new PeerId(3)).Encode());
        raft.Step(new Message
        {
            Type = MessageType.App,
            From = new PeerId(1),
            To = new PeerId(2),
            Term = new Term(1),
            Entries = [change],
            Commit = 1,
        });

        raft.Campaign();

        Assert.Equal(RaftState.Follower, raft.State);
    }
}
