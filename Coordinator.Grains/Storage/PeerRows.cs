using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// All rows of a peer, as it begins and as it leaves. Invariant: only bootstrap and the addition of a peer that is new
/// in its group insert a peer row, in one transaction with its first snapshot (rule 1).
/// </summary>
internal static class PeerRows
{
    // An activation's epoch is 1 at the least.
    private const long FirstEpoch = 0;
    private const long FirstSnapshotId = 1;

    /// <summary>A cluster of many groups is not founded a round trip at a time, nor in one message of all of it.</summary>
    private const int PeersPerBatch = 64;

    /// <param name="joins">
    /// With this the database takes part in a cluster, in the same transaction; null: it does already.
    /// </param>
    /// <exception cref="PeerExistsException">The peer has a row; nothing was changed.</exception>
    public static async Task<bool> AddAsync(
        NpgsqlConnection connection, NewPeer peer, PeerAddition? addition, JoiningCluster? joins = null)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        try
        {
            if (joins is not null)
            {
                await ClusterStore.InsertAsync(connection, joins.ClusterId, joins.Groups);
                await SiloStore.WriteBootstrapAsync(connection, joins.Silo);
            }

            await InsertAsync(connection, [peer]);
            if (addition is not null)
            {
                await PeerAdditions.WriteAsync(connection, addition);
            }
        }
        catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "peer" })
        {
            await transaction.RollbackAsync();
            throw new PeerExistsException(peer.Key, (await PeerRow.ReadAsync(connection, peer.Key))?.StorageId);
        }

        await transaction.CommitAsync();
        return true;
    }

    /// <summary>
    /// The peer's row first: its lock puts this after a write under way, and a later one finds no row. What else there is
    /// goes only where no row is left: it may be of another peer that was given the id here.
    /// </summary>
    /// <returns>Whether the id has no row now; false: its row is that of another storage.</returns>
    public static async Task<bool> RemoveAsync(NpgsqlConnection connection, PeerKey key, Guid storageId)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand(
            "DELETE FROM coordinator.peer WHERE group_id = $1 AND peer_id = $2 AND storage_id = $3", connection))
        {
            command.Add(key.Group).Add(key.Peer.Value).Add(storageId);
            await command.ExecuteNonQueryAsync();
        }

        foreach (string table in (string[])["log", "snapshot_chunk"])
        {
            await using var command = new NpgsqlCommand(
                $"""
                DELETE FROM coordinator.{table} WHERE group_id = $1 AND peer_id = $2
                    AND NOT EXISTS (SELECT FROM coordinator.peer WHERE group_id = $1 AND peer_id = $2)
                """,
                connection);
            command.Add(key.Group).Add(key.Peer.Value);
            await command.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
        return await PeerRow.ReadAsync(connection, key) is null;
    }

    public static async Task InsertAsync(NpgsqlConnection connection, IReadOnlyCollection<NewPeer> peers)
    {
        foreach (NewPeer[] some in peers.Chunk(PeersPerBatch))
        {
            await using var batch = new NpgsqlBatch(connection);
            foreach (NewPeer peer in some)
            {
                Insert(batch, peer);
            }

            await batch.ExecuteNonQueryAsync();
        }
    }

    private static void Insert(NpgsqlBatch batch, NewPeer peer)
    {
        int chunks = SnapshotPointer.ChunksOf(peer.SnapshotData.Length);
        var pointer = new SnapshotPointer(
            FirstEpoch, FirstSnapshotId, peer.SnapshotIndex, peer.SnapshotTerm, chunks,
            peer.SnapshotData.Length);
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO coordinator.peer (
                group_id, peer_id, storage_id, identity_checksum, epoch, owner, activation, write_seq,
                term, vote, commit_index, checksum, last_index, log_checksum,
                snapshot_epoch, snapshot_id, snapshot_index, snapshot_term, snapshot_chunks, snapshot_bytes,
                snapshot_checksum)
            VALUES ($1, $2, $3, $4, $5, '', $6, 0, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            """);
        command.Parameters.With(peer.Key.Group).With(peer.Key.Peer.Value)
            .With(peer.StorageId).With(RowChecksums.Identity(peer.Key, peer.StorageId))
            .With(FirstEpoch).With(Guid.Empty)
            .With(peer.HardState.Term.Value).With(peer.HardState.Vote.Value).With(peer.HardState.Commit)
            .With(RowChecksums.State(peer.Key, 0, peer.HardState))
            .With(peer.SnapshotIndex).With(RowChecksums.Log(peer.Key, peer.SnapshotIndex))
            .With(pointer.Epoch).With(pointer.Id).With(pointer.Index).With(pointer.Term.Value)
            .With(pointer.Chunks).With(pointer.Bytes).With(RowChecksums.Snapshot(peer.Key, pointer));
        batch.BatchCommands.Add(command);
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            var write = new NpgsqlBatchCommand(SnapshotChunks.WriteSql);
            SnapshotChunks.AddParameters(
                write.Parameters, peer.Key, pointer.Epoch, pointer.Id, chunk, SnapshotChunks.Slice(peer.SnapshotData, chunk));
            batch.BatchCommands.Add(write);
        }
    }
}
