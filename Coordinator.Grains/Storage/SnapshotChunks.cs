using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// A snapshot's bytes, in rows of at most <see cref="SnapshotPointer.ChunkBytes"/>. Unfenced: they are garbage until a
/// fenced write points at them (rule 8), and an activation only writes under its own epoch.
/// </summary>
internal static class SnapshotChunks
{
    public const string WriteSql =
        """
        INSERT INTO coordinator.snapshot_chunk (group_id, peer_id, epoch, snapshot_id, chunk, data, checksum)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (group_id, peer_id, epoch, snapshot_id, chunk)
        DO UPDATE SET data = excluded.data, checksum = excluded.checksum
        """;

    public static ReadOnlyMemory<byte> Slice(ReadOnlyMemory<byte> data, int chunk)
    {
        int start = checked(chunk * SnapshotPointer.ChunkBytes);
        return data.Slice(start, Math.Min(SnapshotPointer.ChunkBytes, data.Length - start));
    }

    public static async Task<bool> WriteAsync(
        NpgsqlConnection connection, PeerKey key, long epoch, long snapshotId, int chunk, ReadOnlyMemory<byte> data)
    {
        await using var command = new NpgsqlCommand(WriteSql, connection);
        AddParameters(command.Parameters, key, epoch, snapshotId, chunk, data);
        await command.ExecuteNonQueryAsync();
        return true;
    }

    public static void AddParameters(
        NpgsqlParameterCollection parameters, PeerKey key, long epoch, long snapshotId, int chunk,
        ReadOnlyMemory<byte> data) =>
        parameters.With(key.Group).With(key.Peer.Value).With(epoch).With(snapshotId).With(chunk).With(data)
            .With(RowChecksums.Chunk(key, epoch, snapshotId, chunk, data.Span));

    // Chunks of an earlier epoch than the row's can no longer be switched to: a fenced write points at its own epoch's
    // only. Those of the row's epoch are garbage once the pointer has passed them; after it, they are being written. A
    // pointer that moves while this runs only moves to chunks that neither clause covers.
    public static async Task<int> DeleteGarbageAsync(NpgsqlConnection connection, PeerKey key, SnapshotPointer keep)
    {
        await using var command = new NpgsqlCommand(
            """
            DELETE FROM coordinator.snapshot_chunk c USING coordinator.peer p
            WHERE p.group_id = $1 AND p.peer_id = $2 AND c.group_id = p.group_id AND c.peer_id = p.peer_id
              AND (c.epoch < p.epoch OR (c.epoch, c.snapshot_id) < (p.snapshot_epoch, p.snapshot_id))
              AND (c.epoch, c.snapshot_id) <> (p.snapshot_epoch, p.snapshot_id)
              AND (c.epoch, c.snapshot_id) <> ($3, $4)
            """,
            connection);
        command.Add(key.Group).Add(key.Peer.Value).Add(keep.Epoch).Add(keep.Id);
        return await command.ExecuteNonQueryAsync();
    }

    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        NpgsqlConnection connection, PeerKey key, SnapshotPointer pointer)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT chunk, data, checksum FROM coordinator.snapshot_chunk
            WHERE group_id = $1 AND peer_id = $2 AND epoch = $3 AND snapshot_id = $4
            ORDER BY chunk
            """,
            connection);
        command.Add(key.Group).Add(key.Peer.Value).Add(pointer.Epoch).Add(pointer.Id);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        // The row that says so is checked: no other length is possible.
        byte[] data = new byte[pointer.Bytes];
        long read = 0;
        int next = 0;
        for (; await reader.ReadAsync(); next++)
        {
            int chunk = reader.GetInt32(0);
            byte[] bytes = reader.GetFieldValue<byte[]>(1);
            if (chunk != next || reader.GetInt32(2) != RowChecksums.Chunk(key, pointer.Epoch, pointer.Id, chunk, bytes))
            {
                throw Damaged(key, pointer, next, chunk == next ? "checksum" : "missing");
            }

            if (bytes.Length <= data.Length - read)
                bytes.CopyTo(data, read);
            read += bytes.Length;
        }

        return next == pointer.Chunks && read == pointer.Bytes
            ? data
            : throw Damaged(
                key, pointer, next, $"{next} chunks, {read} bytes; due: {pointer.Chunks}, {pointer.Bytes}");
    }

    private static CorruptRowException Damaged(PeerKey key, SnapshotPointer pointer, int chunk, string what) =>
        new($"table snapshot_chunk, peer {key}, epoch {pointer.Epoch}, snapshot {pointer.Id}, chunk {chunk}: {what}");
}
