using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage;

/// <summary>Rule 9: what is damaged, absent or back in time is named, and never becomes an answer.</summary>
public sealed class CorruptionTests(PostgresServer server) : StorageTest(server)
{
    [Theory]
    [InlineData("UPDATE coordinator.peer SET storage_id = gen_random_uuid()", "table peer, peer 1/1: checksum of storage_id")]
    [InlineData("UPDATE coordinator.peer SET write_seq = write_seq + 1", "table peer, peer 1/1: checksum of write_seq")]
    [InlineData("UPDATE coordinator.peer SET term = term + 1", "table peer, peer 1/1: checksum of write_seq, term")]
    [InlineData("UPDATE coordinator.peer SET vote = 2", "table peer, peer 1/1: checksum of write_seq, term, vote")]
    [InlineData("UPDATE coordinator.peer SET commit_index = commit_index - 1", "table peer, peer 1/1: checksum of write_seq")]
    [InlineData("UPDATE coordinator.peer SET checksum = checksum # 1", "table peer, peer 1/1: checksum of write_seq")]
    [InlineData("UPDATE coordinator.peer SET last_index = last_index - 1", "table peer, peer 1/1: checksum of last_index")]
    [InlineData("UPDATE coordinator.peer SET snapshot_index = 9", "table peer, peer 1/1: checksum of the snapshot's")]
    [InlineData("UPDATE coordinator.peer SET snapshot_chunks = 0", "table peer, peer 1/1: checksum of the snapshot's")]
    [InlineData("UPDATE coordinator.log SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE index = 12", "table log, peer 1/1, index 12: checksum")]
    [InlineData("UPDATE coordinator.log SET term = 0 WHERE index = 12", "table log, peer 1/1, index 12: checksum")]
    [InlineData("UPDATE coordinator.log SET type = 1 WHERE index = 13", "table log, peer 1/1, index 13: checksum")]
    [InlineData("UPDATE coordinator.log SET stamp = 1 WHERE index = 11", "table log, peer 1/1, index 11: checksum")]
    [InlineData("UPDATE coordinator.log SET index = 14 WHERE index = 13", "table log, peer 1/1, index 14: checksum")]
    [InlineData("DELETE FROM coordinator.log WHERE index = 11", "table log, peer 1/1, index 11: missing")]
    [InlineData("DELETE FROM coordinator.log WHERE index = 12", "table log, peer 1/1, index 12: missing")]
    [InlineData("DELETE FROM coordinator.log WHERE index = 13", "table log, peer 1/1, index 13: missing")]
    [InlineData("DELETE FROM coordinator.log", "table log, peer 1/1, index 11: missing")]
    [InlineData("UPDATE coordinator.snapshot_chunk SET data = set_byte(data, 3, 0)", "table snapshot_chunk, peer 1/1, epoch 0, snapshot 1, chunk 0: checksum")]
    [InlineData("UPDATE coordinator.snapshot_chunk SET chunk = 1", "table snapshot_chunk, peer 1/1, epoch 0, snapshot 1, chunk 0: missing")]
    [InlineData("DELETE FROM coordinator.snapshot_chunk", "table snapshot_chunk, peer 1/1, epoch 0, snapshot 1, chunk 0: 0 chunks, 0 bytes; due: 1, 18")]
    public async Task Damage_is_named_with_table_key_and_index(string damage, string named)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, Hard(commit: 12), Entry(11), Entry(12), Entry(13)));
        await ExecuteAsync(damage.Contains("WHERE", StringComparison.Ordinal) ? damage + " AND peer_id = 1" : damage + " WHERE peer_id = 1");

        ActivationResult result = await database.ActivateAsync(Key(1), "test", CancellationToken.None);

        Assert.StartsWith(named, Assert.IsType<ActivationResult.Corrupt>(result).Row, StringComparison.Ordinal);
        await ActivateAsync(database, 2);
    }

    [Fact]
    public async Task A_row_of_another_peer_is_damage()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer first = await ActivateAsync(database, 1);
        await database.WriteAsync(Write(first, 1, null, Entry(11)));
        await ExecuteAsync("UPDATE coordinator.log SET peer_id = 2");

        Assert.Equal(
            new ActivationResult.Corrupt("table log, peer 1/2, index 11: checksum"),
            await database.ActivateAsync(Key(2), "test", CancellationToken.None));
    }

    [Fact]
    public async Task A_damaged_cluster_row_is_named()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await ExecuteAsync("UPDATE coordinator.cluster SET groups = 2");

        CorruptRowException e = await Assert.ThrowsAsync<CorruptRowException>(
            () => database.ReadClusterAsync(CancellationToken.None));
        Assert.Equal("table cluster: checksum", e.Row);
    }

    [Fact]
    public async Task A_damaged_storage_id_is_named_before_any_activation()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await ExecuteAsync("UPDATE coordinator.peer SET storage_id = gen_random_uuid() WHERE peer_id = 2");

        CorruptRowException e = await Assert.ThrowsAsync<CorruptRowException>(
            () => database.ReadClusterAsync(CancellationToken.None));
        Assert.Equal("table peer, peer 1/2: checksum of storage_id", e.Row);
    }

    [Fact]
    public async Task A_missing_row_is_a_lost_peer()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await ExecuteAsync("DELETE FROM coordinator.peer WHERE peer_id = 1");

        Assert.Equal(WriteOutcome.Missing, await database.WriteAsync(Write(peer, 1, null, Entry(11))));
        Assert.Equal(
            new ActivationResult.Missing(), await database.ActivateAsync(Key(1), "test", CancellationToken.None));
        Assert.Equal(new ActivationResult.Missing(), await ReactivateAsync(database, peer));
        Assert.Null((await database.ReadEpochsAsync())!.EpochOf(Key(1)));
    }

    [Theory]
    [InlineData("write_seq = write_seq - 1")]
    [InlineData("epoch = epoch - 1")]
    [InlineData("epoch = epoch + 1, write_seq = write_seq - 1")]
    public async Task A_row_that_went_back_is_not_taken_up_again(string change)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, null, Entry(11)));
        await database.WriteAsync(Write(peer, 2, null, Entry(12)));
        await ExecuteAsync($"UPDATE coordinator.peer SET {change} WHERE peer_id = 1");

        Assert.IsType<ActivationResult.WentBack>(await ReactivateAsync(database, peer, writeSeq: 2));

        long before = await QueryAsync<long>("SELECT epoch FROM coordinator.peer WHERE peer_id = 1");
        Assert.IsType<ActivationResult.WentBack>(await ReactivateAsync(database, peer, writeSeq: 2));
        Assert.Equal(before, await QueryAsync<long>("SELECT epoch FROM coordinator.peer WHERE peer_id = 1"));
    }

    [Fact]
    public void Checksums_tell_neighbouring_fields_apart()
    {
        int[] sums =
        [
            RowChecksums.Entry(Key(1), Entry(11, 1, "ab")),
            RowChecksums.Entry(Key(1), Entry(11, 1, "ab\0")),
            RowChecksums.Entry(Key(1), Entry(1, 11, "ab")),
            RowChecksums.Entry(Key(2), Entry(11, 1, "ab")),
            RowChecksums.Entry(new PeerKey(2, new PeerId(1)), Entry(11, 1, "ab")),
            RowChecksums.Entry(Key(1), Entry(11, 1, "ab", stamp: 1)),
            RowChecksums.Entry(Key(1), Entry(11, 1, "ba")),
        ];

        Assert.Equal(sums.Length, sums.Distinct().Count());
    }

    [Fact]
    public void The_checksum_of_a_known_row_never_changes() =>
        // Rows that exist carry it.
        Assert.Equal(KnownChecksum, RowChecksums.Entry(Key(1), Entry(11, 1, "a known row", stamp: 42)));

    private const int KnownChecksum = -361765560;
}
