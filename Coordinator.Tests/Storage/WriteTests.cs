using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage;

/// <summary>What one write does to a peer's row and log, and what it is refused for.</summary>
public sealed class WriteTests(PostgresServer server) : StorageTest(server)
{
    [Fact]
    public async Task What_was_written_is_loaded_again()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        Entry large = new(new Term(2), 12, EntryType.ConfChangeV2, new byte[300_000], Stamp: -5);

        WriteOutcome outcome = await database.WriteAsync(
            Write(peer, 1, Hard(term: 2, vote: 3, commit: 11), Entry(11, data: "a", stamp: 42), large));

        Assert.Equal(WriteOutcome.Committed, outcome);
        LoadedPeer loaded = await ActivateAsync(database);
        Assert.Equal(Hard(term: 2, vote: 3, commit: 11), loaded.HardState);
        Assert.Equal((2, 1), (loaded.Epoch, loaded.WriteSeq));
        Assert.Equal(peer.StorageId, loaded.StorageId);
        Assert.Equal([42, -5], loaded.Entries.Select(e => e.Stamp));
        Assert.Equal([EntryType.Normal, EntryType.ConfChangeV2], loaded.Entries.Select(e => e.Type));
        Assert.Equal(large.Data.ToArray(), loaded.Entries[1].Data.ToArray());
        Assert.Equal(SnapshotData, loaded.Snapshot.Data.ToArray());
    }

    [Fact]
    public async Task Writes_of_one_activation_follow_each_other()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);

        for (int i = 1; i <= 50; i++)
        {
            Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, i, null, Entry(10 + i))));
        }

        Assert.Equal(50, (await ActivateAsync(database)).Entries.Count);
    }

    [Fact]
    public async Task A_conflicting_tail_is_overwritten_whether_the_new_one_is_shorter_or_longer()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, Hard(commit: 11), Entry(11), Entry(12), Entry(13), Entry(14)));

        Assert.Equal(
            WriteOutcome.Committed,
            await database.WriteAsync(Write(peer, 2, Hard(term: 2, commit: 11), Entry(12, 2, "y"))));
        Assert.Equal(["11:1:x", "12:2:y"], Texts(await ReloadAsync(database)));

        LoadedPeer again = await ActivateAsync(database);
        Assert.Equal(
            WriteOutcome.Committed,
            await database.WriteAsync(Write(again, 1, Hard(term: 3, commit: 12), Entry(12, 3, "z"), Entry(13, 3, "z"))));
        Assert.Equal(["11:1:x", "12:3:z", "13:3:z"], Texts(await ReloadAsync(database)));
    }

    [Fact]
    public async Task A_committed_entry_is_never_overwritten()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, Hard(commit: 12), Entry(11), Entry(12)));

        Assert.Equal(
            WriteOutcome.Fenced,
            await database.WriteAsync(Write(peer, 2, Hard(term: 2, commit: 12), Entry(12, 2, "y"))));

        Assert.Equal(["11:1:x", "12:1:x"], Texts(await ReloadAsync(database)));
    }

    [Fact]
    public async Task An_entry_that_would_leave_a_gap_is_refused()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);

        Assert.Equal(WriteOutcome.Fenced, await database.WriteAsync(Write(peer, 1, null, Entry(12))));

        Assert.Empty((await ReloadAsync(database)).Entries);
    }

    [Theory]
    [InlineData(1, 3, 12, "another vote in the same term")]
    [InlineData(1, 0, 12, "a vote taken back")]
    [InlineData(0, 2, 12, "a lower term")]
    [InlineData(1, 2, 11, "a lower commit index")]
    [InlineData(1, 2, 14, "a commit index above the last entry")]
    public async Task A_hard_state_that_goes_back_is_refused(long term, long vote, long commit, string why)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, Hard(1, 2, 12), Entry(11), Entry(12), Entry(13)));

        WriteOutcome outcome = await database.WriteAsync(Write(peer, 2, Hard(term, vote, commit)));

        Assert.True(outcome == WriteOutcome.Fenced, why);
        Assert.Equal(Hard(1, 2, 12), (await ReloadAsync(database)).HardState);
    }

    [Fact]
    public async Task A_vote_can_be_given_once_in_a_term_and_again_in_the_next()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);

        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 1, Hard(term: 2))));
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 2, Hard(term: 2, vote: 3))));
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 3, Hard(term: 3, vote: 1))));
    }

    [Fact]
    public async Task A_write_number_out_of_order_is_refused()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, null, Entry(11)));

        Assert.Equal(WriteOutcome.Fenced, await database.WriteAsync(Write(peer, 1, null, Entry(11))));
        Assert.Equal(WriteOutcome.Fenced, await database.WriteAsync(Write(peer, 3, null, Entry(12))));
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 2, null, Entry(12))));
    }

    [Fact]
    public async Task A_write_that_contradicts_itself_is_misuse()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        var pointer = new SnapshotPointer(peer.Epoch, 1, 12, new Term(1), 0, 0);

        PeerWrite[] broken =
        [
            Write(peer, 1, null, Entry(11), Entry(13)),
            Write(peer, 1, Hard(term: 2), Entry(11, 2), Entry(12, 1)),
            Write(peer, 1, null, Entry(11, 2)),
            Write(peer, 1, Hard(commit: 12), Entry(11)),
            Write(peer, 1, null, Entry(11)) with { CompactThrough = 11 },
            Write(peer) with { ReplaceLog = true },
            Write(peer, 1, null, Entry(12)) with { ReplaceLog = true, Snapshot = pointer },
            Write(peer) with { Snapshot = pointer with { Epoch = peer.Epoch - 1 } },
        ];
        foreach (PeerWrite write in broken)
        {
            await Assert.ThrowsAsync<ArgumentException>(() => database.WriteAsync(write));
        }

        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 1, null, Entry(11))));
    }

    private static Task<LoadedPeer> ReloadAsync(PeerDatabase database) => ActivateAsync(database);
}
