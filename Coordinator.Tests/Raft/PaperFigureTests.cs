using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

/// <summary>Figures 7 and 8 of the Raft paper, played.</summary>
public sealed class PaperFigureTests
{
    private static readonly long[] Figure7Leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];

    [Theory]
    [InlineData("a: an entry is missing", new long[] { 1, 1, 1, 4, 4, 5, 5, 6, 6 })]
    [InlineData("b: many are missing", new long[] { 1, 1, 1, 4 })]
    [InlineData("c: one too many", new long[] { 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6 })]
    [InlineData("d: two too many of a later term", new long[] { 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7 })]
    [InlineData("e: missing and too many", new long[] { 1, 1, 1, 4, 4, 4, 4 })]
    [InlineData("f: leader of terms 2 and 3, which committed nothing", new long[] { 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3 })]
    public void Figure_7_the_leader_of_term_8_brings_every_follower_into_line(string which, long[] follower)
    {
        // The third log makes a quorum with the leader, whoever the follower would vote for.
        RaftGroup group = RaftGroup.WithLogs([Figure7Leader, follower, Figure7Leader]);
        SetAll(group, 3, new HardState(new Term(7), PeerId.None, 0));

        group.Elect(1);

        Assert.Equal(new Term(8), group[1].Raft.Term);
        Assert.True("1 1 1 4 4 5 5 6 6 6 8" == group[2].LogTerms, $"{which}: {group[2].LogTerms}");
        Assert.Equal(11, group[2].Raft.CommitIndex);
    }

    [Fact]
    public void Figure_8d_an_older_terms_entry_on_a_majority_is_overwritten()
    {
        RaftGroup group = Figure8UpToC();

        group.Heal();
        group.Isolate(1);
        // In term 4 S2 and S3 have voted already; in term 5 they, and S4, vote for S5: its last term is 3, theirs 2.
        group[5].Raft.Campaign();
        group.Settle();
        group.Elect(5);

        Assert.All([2, 3, 4, 5], id => Assert.Equal("1 3 5", group[id].LogTerms));
    }

    [Fact]
    public void Figure_8e_an_entry_of_the_leaders_own_term_on_a_majority_makes_all_before_it_safe()
    {
        RaftGroup group = Figure8UpToC();

        group.Heal();
        group.Isolate(4);
        group.Isolate(5);
        group.TickAll(1);
        Assert.Equal(3, group[1].Raft.CommitIndex);

        group.Heal();
        group.Isolate(1);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            group[5].Raft.Campaign();
            group.Settle();
        }

        Assert.False(group[5].Raft.IsLeader);
        Assert.Equal("1 2 4", group[2].LogTerms);
        Assert.Equal("1 2 4", group[3].LogTerms);
    }

    /// <summary>
    /// (a) S1 led term 2 and got its entry to S2 alone. (b) S5 led term 3 and kept its entry to itself. (c) S1 leads
    /// term 4 and gets the entry of term 2 to S3 too, so that a majority holds it, but not its own one of term 4.
    /// </summary>
    private static RaftGroup Figure8UpToC()
    {
        RaftGroup group = RaftGroup.WithLogs(
            [[1, 2], [1, 2], [1], [1], [1, 3]], o => o with { MaxMessageBytes = 0 });
        SetAll(group, 5, new HardState(new Term(3), PeerId.None, 1));
        group.Isolate(5);
        group.Cut(1, 4);
        group.Lose = m => m.Entries.Count == 1
            && m.Entries[0].Term == new Term(4)
            && group[(int)m.To.Value].Raft.LastIndex == 2;
        group.Elect(1);
        // S2 holds the entry of term 2 since then, and says so.
        group[1].Raft.Step(new Message
        {
            Type = MessageType.AppResp,
            From = new PeerId(2),
            To = new PeerId(1),
            Term = new Term(4),
            Index = 2,
        });
        group.Settle();

        Assert.Equal(["1 2 4", "1 2", "1 2", "1", "1 3"], Enumerable.Range(1, 5).Select(id => group[id].LogTerms));
        Assert.Equal(2, group[1].ProgressOf(2).Match);
        Assert.Equal(2, group[1].ProgressOf(3).Match);
        // The rule: on a majority, but of an older term, so not committed by counting (§5.4.2).
        Assert.Equal(1, group[1].Raft.CommitIndex);
        return group;
    }

    private static void SetAll(RaftGroup group, int peers, HardState state)
    {
        for (int id = 1; id <= peers; id++)
        {
            group[id].Storage.SetHardState(state);
            group[id].Restart();
        }
    }
}
