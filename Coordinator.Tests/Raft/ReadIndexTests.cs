using System.Text;
using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>Linearizable reads: §8 of the paper, §6.4 of the thesis.</summary>
public sealed class ReadIndexTests
{
    [Fact]
    public void A_leader_answers_a_read_with_its_commit_index_once_a_quorum_confirms_it()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Propose("x");
        group.Settle();

        Read(leader, "r");
        Assert.Empty(leader.Reads);
        group.Settle();

        Assert.Equal(("r", 2L), Single(leader));
    }

    [Fact]
    public void A_follower_sends_the_read_to_the_leader_and_gets_the_answer()
    {
        RaftGroup group = new(3);
        group.Elect(1).Propose("x");
        group.Settle();

        Read(group[2], "from 2");
        group.Settle();

        Assert.Equal(("from 2", 2L), Single(group[2]));
        Assert.Empty(group[1].Reads);
    }

    [Fact]
    public void A_leader_that_was_cut_off_answers_no_read()
    {
        RaftGroup group = new(3);
        GroupPeer old = group.Elect(1);
        group.Isolate(1);
        group.Elect(2).Propose("newer");
        group.Settle();

        Read(old, "r");
        group.Settle();

        Assert.Empty(old.Reads);
    }

    [Fact]
    public void Answers_to_heartbeats_sent_before_the_read_do_not_confirm_it()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Tick(1);
        Message[] early = [.. leader.Work().Where(m => m.Type == MessageType.Heartbeat)];
        Read(leader, "r");
        leader.Work();

        foreach (Message heartbeat in early)
        {
            GroupPeer follower = group[(int)heartbeat.To.Value];
            follower.Raft.Step(heartbeat);
            foreach (Message answer in follower.Work())
            {
                leader.Raft.Step(answer);
            }
        }

        Assert.Empty(leader.Reads);
        Assert.False(leader.Raft.HasReady && leader.Raft.Ready().ReadStates.Count > 0);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1)]
    public void No_read_is_answered_before_the_terms_first_commit(int voters)
    {
        RaftGroup group = new(voters, o => o with { AsyncStorageWrites = true });
        RawNode raft = group[1].Raft;
        raft.Campaign();
        Message vote = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);
        raft.Step(vote.Responses[0]);
        if (voters > 1)
        {
            raft.Step(Answer(MessageType.VoteResp, 2, raft.Term));
        }

        Assert.True(raft.IsLeader);
        raft.ReadIndex("r"u8.ToArray());
        Ready ready = raft.Ready();
        Assert.Empty(ready.ReadStates);
        Assert.DoesNotContain(ready.Messages, m => m.Type == MessageType.Heartbeat);

        Message write = ready.Messages.Single(m => m.Type == MessageType.StorageAppend);
        raft.Step(write.Responses[0]);
        if (voters > 1)
        {
            raft.Step(Answer(MessageType.AppResp, 2, raft.Term) with { Index = 1 });
            Message beat = raft.Ready().Messages.First(m => m.Type == MessageType.Heartbeat);
            raft.Step(Answer(MessageType.HeartbeatResp, 2, raft.Term) with { Context = beat.Context });
        }

        Assert.Equal(1, Assert.Single(raft.Ready().ReadStates).Index);
    }

    [Fact]
    public void One_round_of_heartbeats_confirms_all_reads_that_wait()
    {
        RaftGroup group = new(5);
        GroupPeer leader = group.Elect(1);
        group.Lose = m => m.Type == MessageType.Heartbeat;
        Read(leader, "a");
        Read(leader, "b");
        group.Settle();
        Assert.Empty(leader.Reads);

        group.Heal();
        Read(leader, "c");
        group.Settle();

        Assert.Equal(["a", "b", "c"], leader.Reads.Select(Context));
    }

    [Fact]
    public void A_lost_round_is_made_up_by_the_next_heartbeat()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        group.Lose = m => m.Type == MessageType.Heartbeat;
        Read(leader, "r");
        group.Settle();

        group.Heal();
        group.TickAll(1);

        Assert.Equal("r", Single(leader).Context);
    }

    [Fact]
    public void A_read_without_a_leader_is_dropped()
    {
        RaftGroup group = new(3);
        Read(group[1], "r");

        Assert.False(group[1].Raft.HasReady);
    }

    [Fact]
    public void With_a_lease_a_leader_answers_at_once()
    {
        RaftGroup group = new(3, o => o with { CheckQuorum = true, ReadOnlyOption = ReadOnlyOption.LeaseBased });
        GroupPeer leader = group.Elect(1);
        group.Isolate(1);

        Read(leader, "r");
        leader.Work();

        Assert.Equal(("r", 1L), Single(leader));
    }

    [Fact]
    public void A_leader_removed_from_the_group_does_not_answer_alone_for_the_one_that_is_left()
    {
        RaftGroup group = new(2, o => o with { StepDownOnRemoval = false });
        GroupPeer leader = group.Elect(1);
        leader.Raft.ProposeConfChange(new ConfChange(ConfChangeType.RemoveNode, leader.Id));
        group.Settle();
        Assert.True(leader.Raft.IsLeader);
        group.Isolate(1);

        Read(leader, "r");
        group.Settle();

        Assert.Empty(leader.Reads);
    }

    [Fact]
    public void Reads_that_waited_are_forgotten_when_leadership_is_lost()
    {
        RaftGroup group = new(3);
        GroupPeer old = group.Elect(1);
        group.Isolate(1);
        Read(old, "r");
        group.Settle();
        group.Elect(2);
        group.Heal();
        group.TickAll(1);

        group.Elect(1);
        group.TickAll(2);

        Assert.Empty(old.Reads);
    }

    [Fact]
    public void Confirmations_of_an_earlier_leadership_confirm_nothing()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        Read(leader, "a");
        Read(leader, "b");
        group.Settle();
        group.Elect(2);
        group.Elect(1);
        leader.Reads.Clear();
        group.Isolate(1);

        Read(leader, "c");
        group.Settle();

        Assert.Empty(leader.Reads);
    }

    private static void Read(GroupPeer peer, string context) => peer.Raft.ReadIndex(Encoding.UTF8.GetBytes(context));

    private static (string Context, long Index) Single(GroupPeer peer)
    {
        ReadState read = Assert.Single(peer.Reads);
        return (Context(read), read.Index);
    }

    private static string Context(ReadState read) => Encoding.UTF8.GetString(read.Context.Span);

    private static Message Answer(MessageType type, int from, Term term) =>
        new() { Type = type, From = new PeerId(from), To = new PeerId(1), Term = term };
}
