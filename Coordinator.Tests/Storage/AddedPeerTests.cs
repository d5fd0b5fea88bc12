using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Npgsql;

namespace Coordinator.Tests.Storage;

/// <summary>Rule 1: the rows of a peer that is new in its group, and of one that has left it.</summary>
public sealed class AddedPeerTests(PostgresServer server) : StorageTest(server)
{
    private static readonly Guid StorageId = new("6f1f3c5e-5d3b-4a52-9d2a-4f6d3a0c1b77");

    [Fact]
    public async Task An_added_peer_begins_with_an_empty_log_behind_the_snapshot_at_index_0()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await AddAsync(database);

        LoadedPeer peer = await ActivateAsync(database, 4);

        Assert.Equal((1, 0, default), (peer.Epoch, peer.WriteSeq, peer.HardState));
        Assert.Equal((0, default), (peer.Snapshot.Pointer.Index, peer.Snapshot.Pointer.Term));
        Assert.Equal(SnapshotData, peer.Snapshot.Data.ToArray());
        Assert.Empty(peer.Entries);
        Assert.Equal(new StoredPeer(Key(4), StorageId), (await ReadPeersAsync(database))[^1]);
    }

    [Fact]
    public async Task An_added_peer_takes_its_leaders_snapshot()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await AddAsync(database);
        LoadedPeer peer = await ActivateAsync(database, 4);
        await database.WriteSnapshotChunkAsync(peer.Key, peer.Epoch, 1, 0, new byte[] { 7 }, CancellationToken.None);
        var pointer = new SnapshotPointer(peer.Epoch, 1, 20, new Term(3), 1, 1);

        Assert.Equal(
            WriteOutcome.Committed,
            await database.WriteAsync(
                Write(peer, 1, Hard(3, 0, 20), Entry(21, 3)) with { Snapshot = pointer, ReplaceLog = true }));

        LoadedPeer again = await ActivateAsync(database, 4);
        Assert.Equal(pointer, again.Snapshot.Pointer);
        Assert.Equal(["21:3:x"], Texts(again));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_peer_that_has_a_row_is_not_added_and_keeps_it(long peer)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await AddAsync(database);
        LoadedPeer before = await ActivateAsync(database, peer);
        await database.WriteAsync(Write(before, 1, null, Entry(before.Snapshot.Pointer.Index + 1, 0)) with
        {
            HardState = before.HardState,
        });

        PeerExistsException e = await Assert.ThrowsAsync<PeerExistsException>(() => database.AddPeerAsync(
            Key(peer), Guid.NewGuid(), new byte[] { 1 }, CancellationToken.None));

        Assert.Equal(before.StorageId, e.StorageId);
        LoadedPeer after = await ActivateAsync(database, peer);
        Assert.Equal((2, 1), (after.Epoch, after.WriteSeq));
        Assert.Equal(SnapshotData, after.Snapshot.Data.ToArray());
        Assert.Single(after.Entries);
    }

    [Fact]
    public async Task Of_two_that_add_a_peer_at_once_one_is_refused()
    {
        PeerDatabase[] databases = [await OpenBootstrappedAsync(), await OpenAsync()];

        Exception?[] failures = await Task.WhenAll(databases.Select(d => Record.ExceptionAsync(() => AddAsync(d))));

        Assert.IsType<PeerExistsException>(Assert.Single(failures, e => e is not null));
        await ActivateAsync(databases[0], 4);
    }

    [Fact]
    public async Task An_addition_that_is_killed_in_the_middle_leaves_nothing_and_may_be_repeated()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AtChunkCommit);
        Task addition = AddAsync(database);
        await UntilAsync(PausedWrites.OneIsPaused);

        await ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted");

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => addition);
        await paused.ReleaseAsync();
        Assert.Equal(0L, await RowsAsync());
        Assert.IsType<ActivationResult.Missing>(
            await database.ActivateAsync(Key(4), "test", CancellationToken.None));
        await AddAsync(database);
        Assert.Equal(1, (await ActivateAsync(database, 4)).Epoch);
    }

    [Fact]
    public async Task An_addition_whose_answer_was_lost_is_known_by_its_storage_id()
    {
        PostgresProxy proxy = StartProxy();
        PeerDatabase database = await OpenBootstrappedAsync(Options(proxy.Port));
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AtChunkCommit);
        Task addition = AddAsync(database);
        await UntilAsync(PausedWrites.OneIsPaused);
        proxy.HoldAnswers();
        await paused.ReleaseAsync();
        await UntilAsync("SELECT EXISTS (SELECT FROM coordinator.peer WHERE peer_id = 4)");
        proxy.CutClients();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => addition);

        PeerExistsException e = await Assert.ThrowsAsync<PeerExistsException>(() => AddAsync(database));
        Assert.Equal(StorageId, e.StorageId);
    }

    [Fact]
    public async Task Of_a_removed_peer_nothing_is_left_and_the_others_keep_theirs()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await AddAsync(database);
        LoadedPeer peer = await ActivateAsync(database, 4);
        await database.WriteAsync(Write(peer, 1, Hard(1, 0, 1), Entry(1), Entry(2)));
        await database.WriteSnapshotChunkAsync(peer.Key, peer.Epoch, 1, 0, new byte[] { 7 }, CancellationToken.None);

        Assert.True(await database.RemovePeerAsync(Key(4), StorageId, CancellationToken.None));
        Assert.True(await database.RemovePeerAsync(Key(4), StorageId, CancellationToken.None));

        Assert.Equal(0L, await RowsAsync());
        Assert.Equal(WriteOutcome.Missing, await database.WriteAsync(Write(peer, 2, Hard(1, 0, 1), Entry(3))));
        Assert.IsType<ActivationResult.Missing>(await ReactivateAsync(database, peer));
        Assert.Equal([Key(1), Key(2), Key(3)], (await ReadPeersAsync(database)).Select(p => p.Key));
        await ActivateAsync(database, 1);
    }

    [Fact]
    public async Task Another_peer_that_was_given_the_id_is_not_removed()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await AddAsync(database);
        LoadedPeer peer = await ActivateAsync(database, 4);

        Assert.False(await database.RemovePeerAsync(Key(4), Guid.NewGuid(), CancellationToken.None));

        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 1, Hard(1, 0, 0), Entry(1))));
        Assert.True(await database.RemovePeerAsync(Key(4), StorageId, CancellationToken.None));
        Assert.Equal(0L, await RowsAsync());
    }

    [Fact]
    public async Task A_removal_waits_for_the_write_under_way_and_takes_what_it_wrote()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await AddAsync(database);
        LoadedPeer peer = await ActivateAsync(database, 4);
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AtCommit);
        Task<WriteOutcome> write = database.WriteAsync(Write(peer, 1, Hard(1, 0, 0), Entry(1)));
        await UntilAsync(PausedWrites.OneIsPaused);

        Task<bool> removal = database.RemovePeerAsync(Key(4), StorageId, CancellationToken.None);
        await UntilAsync(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM coordinator.peer%')");
        await paused.ReleaseAsync();
        Assert.True(await removal);

        Assert.Equal(WriteOutcome.Committed, await write);
        Assert.Equal(0L, await RowsAsync());
    }

    private static Task AddAsync(PeerDatabase database) =>
        database.AddPeerAsync(Key(4), StorageId, SnapshotData, CancellationToken.None);

    private static async Task<IReadOnlyList<StoredPeer>> ReadPeersAsync(PeerDatabase database) =>
        (await database.ReadClusterAsync(CancellationToken.None))!.Peers;

    private Task<long> RowsAsync() => QueryAsync<long>(
        """
        SELECT (SELECT count(*) FROM coordinator.peer WHERE peer_id = 4)
             + (SELECT count(*) FROM coordinator.log WHERE peer_id = 4)
             + (SELECT count(*) FROM coordinator.snapshot_chunk WHERE peer_id = 4)
        """);
}
