using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>The rules of the Raft paper on replication and commitment: §5.3, §5.4.2, §5.5, §7, one test each.</summary>
public sealed class PaperReplicationTests
{
    private static readonly PeerId One = new(1);
    private static readonly PeerId Two = new(2);

    [Fact]
    public void A_leader_appends_a_proposal_and_sends_it_to_all_followers()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        group.Sent.Clear();

        Assert.Equal(ProposalResult.Appended, leader.Propose("x"));
        IReadOnlyList<Message> messages = leader.Work();

        Assert.Equal(2, leader.Raft.LastIndex);
        Assert.Equal([2, 3], messages.Where(m => m.Type == MessageType.App && m.Entries.Count == 1).Select(m => m.To.Value));
    }

    [Fact]
    public void An_entry_is_committed_once_a_majority_holds_it_and_then_applied_by_all()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Propose("x");
        group.Settle();

        Assert.All([1, 2, 3], id => Assert.Equal("x", group[id].AppliedText));
    }

    [Theory]
    [InlineData(3, 1, true)]
    [InlineData(3, 2, false)]
    [InlineData(5, 2, true)]
    [InlineData(5, 3, false)]
    public void An_entry_that_a_minority_holds_is_not_committed(int voters, int isolated, bool committed)
    {
        RaftGroup group = new(voters);
        GroupPeer leader = group.Elect(1);
        for (int i = 0; i < isolated; i++)
        {
            group.Isolate(voters - i);
        }

        leader.Propose("x");
        group.Settle();

        Assert.Equal(committed ? 2 : 1, leader.Raft.CommitIndex);
    }

    [Fact]
    public void Committing_an_entry_commits_all_that_precede_it()
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 1], [1, 1], [1]]);
        group.Elect(1);

        Assert.Equal(3, group[1].Raft.CommitIndex);
        Assert.Equal("1 1 2", group[3].LogTerms);
    }

    [Fact]
    public void A_follower_learns_the_commit_index_and_applies_in_log_order()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Propose("a");
        leader.Propose("b");
        leader.Propose("c");
        group.Settle();

        Assert.Equal("a b c", group[2].AppliedText);
        Assert.Equal(leader.Raft.CommitIndex, group[2].Raft.CommitIndex);
    }

    [Theory]
    [InlineData(0, 0, false, 0)]
    [InlineData(2, 2, false, 0)]
    [InlineData(1, 2, true, 1)]
    [InlineData(2, 3, true, 2)]
    public void A_follower_refuses_entries_unless_it_holds_the_one_before(long term, long index, bool refused, long hint)
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 2], [], []]);

        group[1].Raft.Step(Append(new Term(3), term, index));
        Message answer = group[1].Work().Single(m => m.Type == MessageType.AppResp);

        Assert.Equal(refused, answer.Reject);
        Assert.Equal(hint, answer.RejectHint);
    }

    [Theory]
    [InlineData(2, 2, new long[] { 3 }, "1 2 3")]
    [InlineData(1, 1, new long[] { 3, 4 }, "1 3 4")]
    [InlineData(0, 0, new long[] { 1 }, "1 2")]
    [InlineData(0, 0, new long[] { 3 }, "3")]
    public void A_conflicting_entry_takes_all_after_it_away_and_a_known_one_takes_nothing(
        long term, long index, long[] terms, string log)
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 2], [], []]);

        group[1].Raft.Step(Append(new Term(4), term, index, terms));
        group[1].Work();

        Assert.Equal(log, group[1].LogTerms);
    }

    [Fact]
    public void A_follower_never_commits_past_what_the_message_proves()
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 1, 1], [], []]);

        group[1].Raft.Step(Append(new Term(2), 1, 1) with { Commit = 3 });

        Assert.Equal(1, group[1].Raft.CommitIndex);
    }

    [Fact]
    public void Entries_are_acknowledged_only_after_they_are_durable()
    {
        RaftGroup group = new(3, o => o with { AsyncStorageWrites = true });

        group[1].Raft.Step(Append(new Term(1), 0, 0, 1));
        Message write = Assert.Single(group[1].Raft.Ready().Messages);

        Assert.Equal(MessageType.StorageAppend, write.Type);
        Assert.Equal(1, Assert.Single(write.Entries).Index);
        Assert.Equal([MessageType.AppResp, MessageType.StorageAppendResp], write.Responses.Select(m => m.Type));
    }

    [Fact]
    public void A_leader_counts_itself_only_after_its_own_write()
    {
        RaftGroup group = new(1, o => o with { AsyncStorageWrites = true });
        RawNode raft = group[1].Raft;
        raft.Campaign();
        Message vote = raft.Ready().Messages.Single();
        Assert.False(raft.IsLeader);
        group[1].Write(vote.HardState, vote.Entries, null);
        raft.Step(vote.Responses[0]);
        Assert.True(raft.IsLeader);

        Message write = raft.Ready().Messages.Single(m => m.Type == MessageType.StorageAppend);
        Assert.Equal(0, raft.CommitIndex);
        group[1].Write(write.HardState, write.Entries, null);
        raft.Step(write.Responses[0]);

        Assert.Equal(1, raft.CommitIndex);
    }

    [Fact]
    public void A_lost_append_is_sent_again()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        group.Lose = m => m.To.Value == 3 && m.Type == MessageType.App;
        leader.Propose("x");
        group.Settle();
        group.Heal();

        group.TickAll(1);

        Assert.Equal("x", group[3].AppliedText);
    }

    [Fact]
    public void A_leader_never_overwrites_its_own_log()
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 1, 2], [1, 3], [1]]);
        group.Lose = m => m.To.Value == 2;
        group[1].Raft.Campaign();
        group.Settle();
        group[1].Raft.Campaign();
        group.Settle();

        Assert.True(group[1].Raft.IsLeader);
        Assert.StartsWith("1 1 2 ", group[1].LogTerms, StringComparison.Ordinal);
    }

    [Fact]
    public void Logs_that_hold_the_same_term_at_an_index_hold_the_same_up_to_there()
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 1, 4, 4], [1, 2, 2], [1, 1, 3, 3, 3]]);
        group[1].Raft.Campaign();
        group.Settle();
        group.TickAll(40);

        Assert.Equal(group[1].LogTerms, group[2].LogTerms);
        Assert.Equal(group[1].LogTerms, group[3].LogTerms);
    }

    [Fact]
    public void Finding_where_a_long_diverged_log_matches_takes_a_message_a_term_not_an_entry()
    {
        long[] own = [.. Enumerable.Repeat(1L, 10), .. Enumerable.Repeat(5L, 500)];
        long[] other = [.. Enumerable.Repeat(1L, 10), .. Enumerable.Repeat(2L, 300), .. Enumerable.Repeat(3L, 100)];
        RaftGroup group = RaftGroup.WithLogs([own, other, own]);
        group.Elect(1);

        Assert.Equal(group[1].LogTerms, group[2].LogTerms);
        Assert.InRange(group.Sent.Count(m => m.Type == MessageType.AppResp && m.Reject), 1, 3);
    }

    [Fact]
    public void Stepping_the_same_message_twice_changes_nothing()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        leader.Propose("x");
        group.Settle();
        string log = group[2].LogTerms;

        foreach (Message message in group.Sent.Where(m => m.To == Two).ToArray())
        {
            group.Deliver(message);
        }

        group.Settle();
        Assert.Equal(log, group[2].LogTerms);
        Assert.Equal("x", group[2].AppliedText);
    }

    [Fact]
    public void A_follower_behind_the_compacted_log_gets_a_snapshot_and_goes_on_from_it()
    {
        RaftGroup group = new(3);
        GroupPeer leader = group.Elect(1);
        group.Isolate(3);
        for (int i = 0; i < 10; i++)
        {
            leader.Propose($"{i}");
            group.Settle();
        }

        leader.Storage.CreateSnapshot(9, leader.Members, "state"u8.ToArray());
        leader.Storage.Compact(9);
        group.Heal();
        group.TickAll(2);

        Assert.Equal(9, group[3].Storage.Snapshot()!.Index);
        Assert.Equal(leader.Raft.LastIndex, group[3].Raft.LastIndex);
        Assert.Equal("8 9", group[3].AppliedText);
    }

    [Fact]
    public void A_snapshot_whose_last_entry_is_in_the_log_leaves_the_log_alone()
    {
        RaftGroup group = RaftGroup.WithLogs([[1, 1, 1], [], []]);

        group[1].Raft.Step(new Message
        {
            Type = MessageType.Snap,
            From = Two,
            To = One,
            Term = new Term(2),
            Snapshot = new Snapshot(2, new Term(1), group[1].Members, default),
        });

        Assert.Equal(3, group[1].Raft.LastIndex);
        Assert.Equal(2, group[1].Raft.CommitIndex);
    }

    [Fact]
    public void A_snapshot_behind_the_commit_index_is_ignored()
    {
        RaftGroup group = new(3);
        group.Elect(1).Propose("x");
        group.Settle();

        group[2].Raft.Step(new Message
        {
            Type = MessageType.Snap,
            From = One,
            To = Two,
            Term = group[2].Raft.Term,
            Snapshot = new Snapshot(1, group[2].Raft.Term, group[2].Members, default),
        });

        Assert.Equal(2, group[2].Raft.LastIndex);
    }

    private static Message Append(Term term, long previousTerm, long previousIndex, params long[] terms) => new()
    {
        Type = MessageType.App,
        From = Two,
        To = One,
        Term = term,
        LogTerm = new Term(previousTerm),
        Index = previousIndex,
        Entries = [.. terms.Select((t, i) => new Entry(new Term(t), previousIndex + 1 + i, EntryType.Normal, default))],
    };
}
