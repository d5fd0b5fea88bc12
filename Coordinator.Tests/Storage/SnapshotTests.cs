using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage;

/// <summary>Chunks, the switch to them, compaction, and what may be thrown away when.</summary>
public sealed class SnapshotTests(PostgresServer server) : StorageTest(server)
{
    [Fact]
    public async Task A_snapshot_of_several_chunks_is_switched_in_and_the_log_compacted_behind_it()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, Hard(commit: 13), Entry(11), Entry(12), Entry(13), Entry(14)));
        byte[] data = new byte[(2 * SnapshotPointer.ChunkBytes) + 7];
        new Random(1).NextBytes(data);
        SnapshotPointer pointer = await WriteChunksAsync(database, peer, id: 1, index: 13, data);

        Assert.Equal(
            WriteOutcome.Committed,
            await database.WriteAsync(Write(peer, 2, Hard(commit: 13)) with { Snapshot = pointer, CompactThrough = 12 }));

        LoadedPeer loaded = await ActivateAsync(database);
        Assert.Equal(pointer, loaded.Snapshot.Pointer);
        Assert.Equal(data, loaded.Snapshot.Data.ToArray());
        Assert.Equal(["13:1:x", "14:1:x"], Texts(loaded));
    }

    [Fact]
    public async Task A_chunk_written_twice_is_there_once()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);

        await WriteChunksAsync(database, peer, 1, SnapshotIndex, [1, 2, 3]);
        await WriteChunksAsync(database, peer, 1, SnapshotIndex, [1, 2, 3]);

        Assert.Equal(1, await ChunksAsync(peer.Epoch, 1));
    }

    [Fact]
    public async Task A_leaders_snapshot_replaces_the_whole_log_and_entries_may_follow_at_once()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, null, Entry(11), Entry(12), Entry(13), Entry(14), Entry(15)));
        SnapshotPointer pointer = await WriteChunksAsync(database, peer, 1, index: 12, [9]);

        Assert.Equal(
            WriteOutcome.Committed,
            await database.WriteAsync(Write(peer, 2, Hard(term: 2, commit: 12), Entry(13, 2, "y"), Entry(14, 2, "y")) with
            {
                Snapshot = pointer,
                ReplaceLog = true,
            }));

        Assert.Equal(["13:2:y", "14:2:y"], Texts(await ActivateAsync(database)));
    }

    [Fact]
    public async Task A_leaders_snapshot_far_ahead_leaves_an_empty_log()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, null, Entry(11), Entry(12)));
        SnapshotPointer pointer = await WriteChunksAsync(database, peer, 1, index: 500, [9]);
        PeerWrite install = Write(peer, 2, Hard(commit: 500)) with { Snapshot = pointer, ReplaceLog = true };

        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(install));
        Assert.Empty((await ActivateAsync(database)).Entries);

        LoadedPeer again = await ActivateAsync(database);
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(again, 1, null, Entry(501))));
        Assert.Equal(["501:1:x"], Texts(await ActivateAsync(database)));
    }

    [Theory]
    [InlineData(9, 0, "before the one that is there")]
    [InlineData(13, 0, "above the last durable entry")]
    [InlineData(11, 12, "with compaction past it")]
    public async Task A_snapshot_out_of_the_logs_bounds_is_refused(long index, long compactThrough, string why)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, Hard(commit: 12), Entry(11), Entry(12)));
        SnapshotPointer pointer = await WriteChunksAsync(database, peer, 1, index, [1]);

        WriteOutcome outcome = await database.WriteAsync(
            Write(peer, 2, Hard(commit: 12)) with { Snapshot = pointer, CompactThrough = compactThrough });

        Assert.True(outcome == WriteOutcome.Fenced, why);
        Assert.Equal(SnapshotIndex, (await ActivateAsync(database)).Snapshot.Pointer.Index);
    }

    [Fact]
    public async Task Garbage_goes_and_what_is_pointed_at_or_being_written_stays()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer old = await ActivateAsync(database);
        await WriteChunksAsync(database, old, 8, SnapshotIndex, [1]);
        LoadedPeer peer = await ActivateAsync(database);
        await WriteChunksAsync(database, peer, 1, SnapshotIndex, [2]);
        SnapshotPointer pointer = await WriteChunksAsync(database, peer, 2, SnapshotIndex, [3]);
        await database.WriteAsync(Write(peer) with { Snapshot = pointer });
        await WriteChunksAsync(database, peer, 3, SnapshotIndex, [4]);

        await database.DeleteSnapshotsExceptAsync(peer.Key, pointer, CancellationToken.None);

        Assert.Equal(
            "2/2 2/3",
            await QueryAsync<string>(
                "SELECT string_agg(epoch || '/' || snapshot_id, ' ' ORDER BY epoch, snapshot_id) FROM coordinator.snapshot_chunk WHERE peer_id = 1"));
        Assert.Equal(1L, await QueryAsync<long>("SELECT count(*) FROM coordinator.snapshot_chunk WHERE peer_id = 2"));
    }

    [Fact]
    public async Task An_old_activation_disturbs_neither_the_chunks_nor_the_pointer_of_a_newer_one()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer old = await ActivateAsync(database);
        LoadedPeer peer = await ActivateAsync(database);
        SnapshotPointer pointer = await WriteChunksAsync(database, peer, 1, SnapshotIndex, [7, 7]);

        // Not switched yet, and the same snapshot id: only the epoch tells them apart.
        SnapshotPointer stale = await WriteChunksAsync(database, old, 1, SnapshotIndex, [6]);
        Assert.Equal(WriteOutcome.Fenced, await database.WriteAsync(Write(old) with { Snapshot = stale }));
        await database.DeleteSnapshotsExceptAsync(old.Key, stale, CancellationToken.None);

        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer) with { Snapshot = pointer }));
        Assert.Equal([7, 7], (await ActivateAsync(database)).Snapshot.Data.ToArray());
    }

    [Fact]
    public async Task A_chunk_past_the_limit_is_refused()
    {
        PeerDatabase database = await OpenBootstrappedAsync();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => database.WriteSnapshotChunkAsync(
            Key(1), 1, 1, 0, new byte[SnapshotPointer.ChunkBytes + 1], CancellationToken.None));
        Assert.True(await database.WriteSnapshotChunkAsync(
            Key(1), 1, 1, 0, new byte[SnapshotPointer.ChunkBytes], CancellationToken.None));
    }

    private static async Task<SnapshotPointer> WriteChunksAsync(
        PeerDatabase database, LoadedPeer peer, long id, long index, byte[] data)
    {
        int chunks = SnapshotPointer.ChunksOf(data.Length);
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            Assert.True(await database.WriteSnapshotChunkAsync(
                peer.Key, peer.Epoch, id, chunk, SnapshotChunks.Slice(data, chunk), CancellationToken.None));
        }

        return new SnapshotPointer(peer.Epoch, id, index, new Term(1), chunks, data.Length);
    }

    private Task<long> ChunksAsync(long epoch, long id) =>
        QueryAsync<long>(
            $"SELECT count(*) FROM coordinator.snapshot_chunk WHERE peer_id = 1 AND epoch = {epoch} AND snapshot_id = {id}");
}
