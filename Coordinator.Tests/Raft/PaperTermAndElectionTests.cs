using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>The rules of the Raft paper on terms and elections: §5.1, §5.2, §5.4.1, one test each.</summary>
public sealed class PaperTermAndElectionTests
{
    private static readonly PeerId One = new(1);
    private static readonly PeerId Two = new(2);
    private static readonly PeerId Three = new(3);

    [Theory]
    [InlineData(RaftState.Follower)]
    [InlineData(RaftState.Candidate)]
    [InlineData(RaftState.Leader)]
    public void A_peer_that_sees_a_higher_term_adopts_it_and_follows(RaftState state)
    {
        RaftGroup group = InState(state);

        group[1].Raft.Step(new Message { Type = MessageType.App, From = Two, To = One, Term = new Term(9) });

        Assert.Equal(RaftState.Follower, group[1].Raft.State);
        Assert.Equal(new Term(9), group[1].Raft.Term);
        Assert.Equal(Two, group[1].Raft.Leader);
    }

    [Fact]
    public void A_message_of_an_older_term_is_rejected()
    {
        RaftGroup group = new(3);
        group.Elect(2);
        group.Elect(1);
        Term term = group[2].Raft.Term;

        group[2].Raft.Step(new Message
        {
            Type = MessageType.App,
            From = Three,
            To = Two,
            Term = new Term(term.Value - 1),
            Entries = [new Entry(new Term(term.Value - 1), 1, EntryType.Normal, default)],
        });

        Assert.Equal(One, group[2].Raft.Leader);
        Assert.Equal(term, group[2].Raft.Term);
        Assert.False(group[2].Raft.HasReady);
    }

    [Fact]
    public void Peers_start_as_followers() => Assert.Equal(RaftState.Follower, new RaftGroup(3)[1].Raft.State);

    [Fact]
    public void A_leader_sends_heartbeats_to_all_followers_at_their_interval()
    {
        RaftGroup group = new(3, o => o with { HeartbeatTicks = 2 });
        group.Elect(1);
        group.Sent.Clear();

        group[1].Tick(1);
        group.Settle();
        Assert.DoesNotContain(group.Sent, m => m.Type == MessageType.Heartbeat);

        group[1].Tick(1);
        group.Settle();
        Assert.Equal([Two, Three], group.Sent.Where(m => m.Type == MessageType.Heartbeat).Select(m => m.To));
    }

    [Fact]
    public void A_follower_that_hears_no_leader_for_an_election_time_out_campaigns()
    {
        RaftGroup group = new(3);

        group[1].Tick(group[1].Raft.ElectionTimer.Randomized - 1);
        Assert.Equal(RaftState.Follower, group[1].Raft.State);

        group[1].Tick(1);
        Assert.Equal(RaftState.Candidate, group[1].Raft.State);
    }

    [Fact]
    public void A_follower_that_hears_its_leader_stays_a_follower()
    {
        RaftGroup group = new(3);
        group.Elect(1);

        for (int i = 0; i < 100; i++)
        {
            group[1].Tick(1);
            group[2].Tick(1);
            group.Settle();
        }

        Assert.Equal(RaftState.Follower, group[2].Raft.State);
    }

    [Fact]
    public void A_candidate_raises_its_term_votes_for_itself_and_asks_all_others()
    {
        RaftGroup group = new(3);

        group[1].Raft.Campaign();
        IReadOnlyList<Message> messages = group[1].Work();

        Assert.Equal(new Term(1), group[1].Raft.Term);
        Assert.Equal(One, group[1].Raft.Vote);
        Assert.Equal([Two, Three], messages.Where(m => m.Type == MessageType.Vote).Select(m => m.To));
    }

    [Theory]
    [InlineData(1, 0, true)]
    [InlineData(3, 1, true)]
    [InlineData(3, 0, false)]
    [InlineData(5, 2, true)]
    [InlineData(5, 1, false)]
    public void A_candidate_wins_with_the_votes_of_a_majority_and_no_fewer(int voters, int grants, bool wins)
    {
        RaftGroup group = new(voters);
        group[1].Raft.Campaign();
        group[1].Work();

        for (int voter = 2; voter <= 1 + grants; voter++)
        {
            group[1].Raft.Step(Grant(new PeerId(voter), group[1].Raft.Term));
        }

        Assert.Equal(wins ? RaftState.Leader : RaftState.Candidate, group[1].Raft.State);
    }

    [Fact]
    public void A_candidate_counts_each_voter_once()
    {
        RaftGroup group = new(5);
        group[1].Raft.Campaign();
        group[1].Work();

        group[1].Raft.Step(Grant(Two, group[1].Raft.Term));
        group[1].Raft.Step(Grant(Two, group[1].Raft.Term));

        Assert.Equal(RaftState.Candidate, group[1].Raft.State);
    }

    [Fact]
    public void A_candidate_that_a_majority_refuses_follows_again()
    {
        RaftGroup group = new(3);
        group[1].Raft.Campaign();
        group[1].Work();

        group[1].Raft.Step(Grant(Two, group[1].Raft.Term) with { Reject = true });
        group[1].Raft.Step(Grant(Three, group[1].Raft.Term) with { Reject = true });

        Assert.Equal(RaftState.Follower, group[1].Raft.State);
    }

    [Fact]
    public void A_peer_grants_one_vote_in_a_term_first_come_first_served()
    {
        RaftGroup group = new(3);

        Assert.False(AskForVote(group[1], Two, new Term(5)).Reject);
        Assert.True(AskForVote(group[1], Three, new Term(5)).Reject);
        Assert.False(AskForVote(group[1], Two, new Term(5)).Reject);
        Assert.False(AskForVote(group[1], Three, new Term(6)).Reject);
    }

    [Fact]
    public void A_vote_survives_a_restart()
    {
        RaftGroup group = new(3);
        AskForVote(group[1], Two, new Term(5));

        group[1].Restart();

        Assert.True(AskForVote(group[1], Three, new Term(5)).Reject);
    }

    [Fact]
    public void A_vote_leaves_only_after_it_is_durable()
    {
        RaftGroup group = new(3, o => o with { AsyncStorageWrites = true });

        group[1].Raft.Step(VoteRequest(Two, new Term(5)));
        Ready ready = group[1].Raft.Ready();

        Message write = Assert.Single(ready.Messages);
        Assert.Equal(MessageType.StorageAppend, write.Type);
        Assert.Equal(new HardState(new Term(5), Two, 0), write.HardState);
        Assert.Equal(MessageType.VoteResp, Assert.Single(write.Responses).Type);
    }

    [Fact]
    public void A_candidate_that_hears_the_leader_of_its_term_follows()
    {
        RaftGroup group = InState(RaftState.Candidate);

        group[1].Raft.Step(new Message
        {
            Type = MessageType.Heartbeat,
            From = Two,
            To = One,
            Term = group[1].Raft.Term,
        });

        Assert.Equal(RaftState.Follower, group[1].Raft.State);
        Assert.Equal(Two, group[1].Raft.Leader);
    }

    [Fact]
    public void A_candidate_without_outcome_campaigns_again_after_a_time_out()
    {
        RaftGroup group = InState(RaftState.Candidate);

        group[1].Tick(group[1].Raft.ElectionTimer.Randomized);

        Assert.Equal(RaftState.Candidate, group[1].Raft.State);
        Assert.Equal(new Term(2), group[1].Raft.Term);
    }

    [Fact]
    public void Election_time_outs_are_spread_over_one_to_two_time_outs()
    {
        RaftGroup group = new(1);
        HashSet<int> drawn = [];
        for (int i = 0; i < 500; i++)
        {
            group[1].Raft.ElectionTimer.Redraw();
            drawn.Add(group[1].Raft.ElectionTimer.Randomized);
        }

        Assert.Equal(Enumerable.Range(10, 10), drawn.Order());
    }

    [Fact]
    public void Peers_with_one_seed_draw_different_time_outs_and_the_same_in_every_run()
    {
        static int[] Draw(int id)
        {
            RaftGroup group = new(3);
            return [.. Enumerable.Range(0, 20).Select(_ =>
            {
                group[id].Raft.ElectionTimer.Redraw();
                return group[id].Raft.ElectionTimer.Randomized;
            })];
        }

        Assert.Equal(Draw(1), Draw(1));
        Assert.NotEqual(Draw(1), Draw(2));
    }

    [Fact]
    public void At_most_one_leader_is_elected_in_a_term()
    {
        RaftGroup group = new(5);
        group[1].Raft.Campaign();
        group[2].Raft.Campaign();
        group.Settle();

        Assert.True(group[1].Raft.IsLeader ^ group[2].Raft.IsLeader);
    }

    [Theory]
    [InlineData(new long[] { 1 }, 1, 1, true)]
    [InlineData(new long[] { 1 }, 1, 2, true)]
    [InlineData(new long[] { 1, 1 }, 1, 1, false)]
    [InlineData(new long[] { 1 }, 2, 1, true)]
    [InlineData(new long[] { 1, 1 }, 2, 1, true)]
    [InlineData(new long[] { 2 }, 1, 1, false)]
    [InlineData(new long[] { 2 }, 1, 9, false)]
    public void A_vote_goes_only_to_a_log_at_least_as_up_to_date(long[] own, long term, long index, bool granted)
    {
        RaftGroup group = RaftGroup.WithLogs([own, [], []]);

        Message answer = AskForVote(group[1], Two, new Term(9), term, index);

        Assert.Equal(granted, !answer.Reject);
    }

    private static RaftGroup InState(RaftState state)
    {
        RaftGroup group = new(3);
        if (state == RaftState.Leader)
        {
            group.Elect(1);
        }
        else if (state == RaftState.Candidate)
        {
            group[1].Raft.Campaign();
            group[1].Work();
        }

        Assert.Equal(state, group[1].Raft.State);
        return group;
    }

    private static Message Grant(PeerId from, Term term) =>
        new() { Type = MessageType.VoteResp, From = from, To = One, Term = term };

    private static Message VoteRequest(PeerId from, Term term, long lastTerm = 0, long lastIndex = 0) => new()
    {
        Type = MessageType.Vote,
        From = from,
        To = One,
        Term = term,
        LogTerm = new Term(lastTerm),
        Index = lastIndex,
    };

    private static Message AskForVote(GroupPeer peer, PeerId from, Term term, long lastTerm = 0, long lastIndex = 0)
    {
        peer.Raft.Step(VoteRequest(from, term, lastTerm, lastIndex));
        return peer.Work().Single(m => m.Type == MessageType.VoteResp);
    }
}
