using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>A peer's row, its checksums verified.</summary>
internal sealed record PeerRow(
    PeerKey Key,
    Guid StorageId,
    long Epoch,
    long WriteSeq,
    HardState HardState,
    long LastIndex,
    SnapshotPointer Snapshot,
    IReadOnlyList<PeerSighting> Sightings)
{
    /// <returns>Null: no row.</returns>
    /// <exception cref="CorruptRowException">A checksum does not fit, or the columns contradict each other.</exception>
    public static async Task<PeerRow?> ReadAsync(NpgsqlConnection connection, PeerKey key)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT storage_id, identity_checksum, epoch, write_seq, term, vote, commit_index, checksum,
                   last_index, log_checksum, snapshot_epoch, snapshot_id, snapshot_index, snapshot_term,
                   snapshot_chunks, snapshot_bytes, snapshot_checksum, sightings
            FROM coordinator.peer WHERE group_id = $1 AND peer_id = $2
            """,
            connection);
        command.Add(key.Group).Add(key.Peer.Value);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
        {
            return null;
        }

        var row = new PeerRow(
            key,
            reader.GetGuid(0),
            reader.GetInt64(2),
            reader.GetInt64(3),
            new HardState(new Term(reader.GetInt64(4)), new PeerId(reader.GetInt64(5)), reader.GetInt64(6)),
            reader.GetInt64(8),
            new SnapshotPointer(
                reader.GetInt64(10), reader.GetInt64(11), reader.GetInt64(12), new Term(reader.GetInt64(13)),
                reader.GetInt32(14), reader.GetInt64(15)),
            SightingsCodec.Decode(key, reader.GetFieldValue<byte[]>(17)));
        row.Verify(reader.GetInt32(1), reader.GetInt32(7), reader.GetInt32(9), reader.GetInt32(16));
        return row;
    }

    private void Verify(int identity, int state, int log, int snapshot)
    {
        string? wrong =
            identity != RowChecksums.Identity(Key, StorageId) ? "checksum of storage_id"
            : state != RowChecksums.State(Key, WriteSeq, HardState) ? "checksum of write_seq, term, vote, commit_index"
            : log != RowChecksums.Log(Key, LastIndex) ? "checksum of last_index"
            : snapshot != RowChecksums.Snapshot(Key, Snapshot) ? "checksum of the snapshot's columns"
            : HardState.Commit > LastIndex ? $"commit_index {HardState.Commit} is above last_index {LastIndex}"
            : Snapshot.Index > LastIndex ? $"snapshot_index {Snapshot.Index} is above last_index {LastIndex}"
            : null;
        if (wrong is not null)
        {
            throw new CorruptRowException($"table peer, peer {Key}: {wrong}");
        }
    }
}
