using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>Changes of membership: §6 of the paper, §4 of the thesis.</summary>
public sealed class PaperMembershipTests
{
    [Fact]
    public void What_is_committed_may_be_learned_from_anybody_whose_entry_is_the_same()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Propose("x");
        group.Settle();
        GroupPeer follower = group[2];
        long last = leader.Raft.CommitIndex;
        long known = follower.Raft.CommitIndex;

        follower.Raft.LearnCommitted(last, leader.Raft.Term.Next);
        Assert.Equal(known, follower.Raft.CommitIndex);
        follower.Raft.LearnCommitted(last + 1, leader.Raft.Term);
        Assert.Equal(known, follower.Raft.CommitIndex);

        follower.Raft.LearnCommitted(last, leader.Raft.Term);
        Assert.Equal(last, follower.Raft.CommitIndex);
    }

    [Fact]
    public void A_membership_says_what_a_change_makes_of_it_or_why_not()
    {
        var three = new ConfState { Voters = [new(1), new(2), new(3)] };

        Assert.Equal([new PeerId(1), new(2), new(3), new(4)], three.TryApply(Add(4).ToV2(), out string? refusal)!.Voters);
        Assert.Null(refusal);
        Assert.Null(three.TryApply(new ConfChangeV2(), out refusal));
        Assert.Equal("NotJoint", refusal);
    }

    [Fact]
    public void A_change_of_one_peer_takes_effect_when_applied()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(Add(4));
        Assert.False(leader.Raft.Configuration.Contains(new PeerId(4)));
        group.Settle();

        Assert.Equal("voters=(1 2 3 4)", leader.Raft.Configuration.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_newcomer_catches_up_by_the_log_or_by_a_snapshot_in_which_it_is_a_member(bool bySnapshot)
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Raft.ProposeConfChange(Add(4));
        group.Settle();
        if (bySnapshot)
        {
            leader.Storage.CreateSnapshot(2, leader.Members, default);
            leader.Storage.Compact(2);
        }

        GroupPeer added = group.AddNewcomer(4, knownVoters: bySnapshot ? 0 : 3);
        group.TickAll(2);
        leader.Propose("x");
        group.Settle();

        Assert.Equal("voters=(1 2 3 4)", added.Raft.Configuration.ToString());
        Assert.Equal("x", added.AppliedText);
        Assert.Equal(bySnapshot ? 3 : 1, added.Storage.FirstIndex);
    }

    [Fact]
    public void Only_one_change_is_under_way_at_a_time()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(Add(4));
        leader.Raft.ProposeConfChange(Add(5));
        group.Settle();

        Assert.Equal([1, 2, 3, 4], leader.Members.Voters.Select(id => id.Value));
        // The refused change is an empty entry in its place.
        Assert.Equal((EntryType.Normal, 0), (leader.Applied[2].Type, leader.Applied[2].Data.Length));
    }

    [Fact]
    public void Two_changes_in_one_proposal_count_as_two()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        leader.Raft.Step(new Message
        {
            Type = MessageType.Prop,
            From = new PeerId(2),
            Entries = [Change(Add(4)), Change(Add(5))],
        });
        group.Settle();

        Assert.Equal([1, 2, 3, 4], leader.Members.Voters.Select(id => id.Value));
    }

    [Fact]
    public void A_new_leader_takes_no_change_before_the_tail_it_found_is_applied()
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 1], [1], []]);
        group.Lose = m => m.Type is MessageType.App && m.To.Value != 1;
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(Add(4));
        group.Heal();
        group.TickAll(2);

        Assert.DoesNotContain(leader.Applied, e => e.Type != EntryType.Normal);
        leader.Raft.ProposeConfChange(Add(4));
        group.Settle();
        Assert.Contains(new PeerId(4), leader.Members.Voters);
    }

    [Fact]
    public void Leaving_a_joint_configuration_that_is_none_is_refused()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(new ConfChangeV2());
        group.Settle();

        Assert.DoesNotContain(leader.Applied, e => e.Type != EntryType.Normal);
    }

    [Fact]
    public void No_second_joint_configuration_is_entered_before_the_first_is_left()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Raft.ProposeConfChange(Replace(3, 4, ConfChangeTransition.JointExplicit));
        group.Settle();
        Assert.True(leader.Raft.Configuration.IsJoint);

        leader.Raft.ProposeConfChange(Replace(2, 5, ConfChangeTransition.JointExplicit));
        leader.Raft.ProposeConfChange(Add(5));
        group.TickAll(1);
        Assert.Single(leader.Applied, e => e.Type != EntryType.Normal);

        leader.Raft.ProposeConfChange(new ConfChangeV2());
        group.Settle();
        Assert.Equal("voters=(1 2 4)", leader.Raft.Configuration.ToString());
    }

    [Fact]
    public void With_validation_disabled_a_change_enters_the_log_unchecked()
    {
        RaftGroup group = new(3, o => o with { DisableConfChangeValidation = true });
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(Add(4));
        leader.Raft.ProposeConfChange(Add(5));
        leader.Work();

        Assert.Equal(2, leader.LogEntries().Count(e => e.Type == EntryType.ConfChange));
    }

    [Fact]
    public void Bytes_that_are_no_change_never_enter_the_log_as_one()
    {
        RaftGroup group = new(3, o => o with { DisableConfChangeValidation = true });
        GroupPeer leader = group.Elect(1);

        leader.Raft.Step(new Message
        {
            Type = MessageType.Prop,
            From = new PeerId(2),
            Entries = [new Entry(Term.Zero, 0, EntryType.ConfChangeV2, new byte[] { 99, 1, 2 })],
        });
        leader.Work();

        Assert.All(leader.LogEntries(), e => Assert.Equal(EntryType.Normal, e.Type));
    }

    [Fact]
    public void While_joint_both_majorities_must_agree()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        group.Isolate(2);
        group.Isolate(3);
        leader.Raft.ApplyConfChange(Replace(2, 4, ConfChangeTransition.JointExplicit));

        // (1 3 4) & (1 2 3): 1 and 4 are a majority of the first alone.
        leader.Propose("x");
        leader.Work();
        leader.Raft.Step(Acknowledge(4, 2, leader));
        Assert.Equal(1, leader.Raft.CommitIndex);

        leader.Raft.Step(Acknowledge(2, 2, leader));
        Assert.Equal(2, leader.Raft.CommitIndex);
    }

    [Fact]
    public void A_leader_leaves_an_implicit_joint_configuration_by_itself()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(Replace(3, 4, ConfChangeTransition.Auto));
        group.Settle();

        Assert.Equal("voters=(1 2 4)", leader.Raft.Configuration.ToString());
        Assert.Equal(leader.Members, group[2].Members);
    }

    [Fact]
    public void A_new_leader_leaves_the_joint_configuration_that_it_found()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Raft.ProposeConfChange(Replace(1, 4, ConfChangeTransition.Auto));
        group.AddNewcomer(4, knownVoters: 3);
        bool joint = false;
        group.Lose = m => (joint |= group[2].Raft.Configuration.IsJoint) && (m.From.Value == 1 || m.To.Value == 1);
        group.Settle();
        group.Heal();
        group.Isolate(1);

        group.Elect(2);
        group.TickAll(3);

        Assert.Equal([2, 3, 4], group[2].Members.Voters.Select(id => id.Value));
        Assert.Empty(group[2].Members.VotersOutgoing);
    }

    [Fact]
    public void A_voter_made_a_learner_keeps_its_vote_until_the_joint_configuration_is_left()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        ConfChangeV2 demote = new()
        {
            Transition = ConfChangeTransition.JointExplicit,
            Changes = [new(ConfChangeType.AddLearnerNode, new PeerId(3))],
        };

        leader.Raft.ProposeConfChange(demote);
        group.Settle();
        Assert.Equal("voters=(1 2)&&(1 2 3) learners_next=(3)", leader.Raft.Configuration.ToString());

        leader.Raft.ProposeConfChange(new ConfChangeV2());
        group.Settle();
        Assert.Equal("voters=(1 2) learners=(3)", leader.Raft.Configuration.ToString());
        Assert.True(leader.ProgressOf(3).IsLearner);
    }

    [Fact]
    public void A_learner_receives_the_log_and_does_not_count_for_a_quorum()
    {
        RaftGroup group = new(2, learners: 1);
        GroupPeer leader = group.Elect(1);
        group.Isolate(2);

        leader.Propose("x");
        group.Settle();

        Assert.Equal(2, group[3].Raft.LastIndex);
        Assert.Equal(1, leader.Raft.CommitIndex);
    }

    [Fact]
    public void A_learner_is_promoted_by_a_simple_change()
    {
        RaftGroup group = new(2, learners: 1);
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(Add(3));
        group.Settle();

        Assert.Equal("voters=(1 2 3)", group[3].Raft.Configuration.ToString());
    }

    [Fact]
    public void A_leader_removed_from_the_group_leads_until_that_is_applied_and_then_steps_down()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        leader.Raft.ProposeConfChange(new ConfChange(ConfChangeType.RemoveNode, leader.Id));
        Assert.True(leader.Raft.IsLeader);
        group.Settle();

        Assert.Equal(RaftState.Follower, leader.Raft.State);
        Assert.Equal([2, 3], group[2].Members.Voters.Select(id => id.Value));
        group.TickAll(40);
        Assert.NotEqual(leader.Id, group.Leader.Id);
    }

    [Fact]
    public void A_removed_leader_told_to_stay_takes_no_proposals()
    {
        RaftGroup group = new(3, o => o with { StepDownOnRemoval = false });
        GroupPeer leader = group.Elect(1);
        leader.Raft.ProposeConfChange(new ConfChange(ConfChangeType.RemoveNode, leader.Id));
        group.Settle();

        Assert.True(leader.Raft.IsLeader);
        Assert.Equal(ProposalResult.NotInConfiguration, leader.Propose("x"));
    }

    [Fact]
    public void A_smaller_quorum_commits_at_once_what_it_already_holds()
    {
        RaftGroup group = new(4);
        GroupPeer leader = group.Elect(1);
        leader.Raft.ProposeConfChange(new ConfChange(ConfChangeType.RemoveNode, new PeerId(4)));
        group.Isolate(4);
        group.Lose = m => m.To.Value == 3 && m.Entries.Count > 0 && m.Entries.Last.Index == 3;
        leader.Propose("x");
        group.Settle();

        // On 1 and 2 of (1 2 3), no majority of (1 2 3 4): committed once the change is applied.
        Assert.Equal(3, leader.Raft.CommitIndex);
    }

    [Fact]
    public void An_answer_of_a_stranger_is_refused()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);

        Assert.Equal(StepResult.UnknownPeer, leader.Raft.Step(Acknowledge(9, 1, leader)));
    }

    [Fact]
    public void Applying_a_change_that_cannot_be_is_fatal()
    {
        RaftGroup group = new(1);

        Assert.Throws<RaftInvariantException>(() => group[1].Raft.ApplyConfChange(
            new ConfChange(ConfChangeType.RemoveNode, new PeerId(1)).ToV2()));
        Assert.Throws<RaftInvariantException>(() => group[1].Raft.ApplyConfChange(new ConfChangeV2()));
    }

    [Fact]
    public void A_restart_finds_the_membership_that_was_stored()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Raft.ProposeConfChange(Replace(3, 4, ConfChangeTransition.JointExplicit));
        group.Settle();
        leader.Storage.CreateSnapshot(2, leader.Members, default);

        leader.Restart();

        Assert.Equal("voters=(1 2 4)&&(1 2 3)", leader.Raft.Configuration.ToString());
    }

    private static ConfChange Add(int id) => new(ConfChangeType.AddNode, new PeerId(id));

    private static ConfChangeV2 Replace(int old, int added, ConfChangeTransition transition) => new()
    {
        Transition = transition,
        Changes = [new(ConfChangeType.RemoveNode, new PeerId(old)), new(ConfChangeType.AddNode, new PeerId(added))],
    };

    private static Entry Change(ConfChange change) => new(Term.Zero, 0, EntryType.ConfChange, change.Encode());

    private static Message Acknowledge(int from, long index, GroupPeer leader) => new()
    {
        Type = MessageType.AppResp,
        From = new PeerId(from),
        To = leader.Id,
        Term = leader.Raft.Term,
        Index = index,
    };
}
