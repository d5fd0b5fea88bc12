using System.Text;
using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The statements of the <see cref="WitnessTable"/>. Invariants: each storage id has a row of its own, so that what is said of
/// a peer's earlier storage touches nothing; a mark is overwritten only by one that covers it, a verdict never. So a silo that
/// was believed dead changes nothing, however late its write arrives, and storage that went back wipes out no trace of what it
/// was. Mark and verdict have a checksum each, since one may be written without the other.
/// </summary>
internal static class WitnessRows
{
    private const string Table = $"{OrleansTables.Schema}.peer_witness";

    /// <exception cref="CorruptRowException">A checksum does not fit.</exception>
    public static async Task<StorageWitness?> ReadAsync(NpgsqlConnection connection, PeerKey key, Guid storageId)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT epoch, write_seq, system_id, timeline, lsn, checksum, verdict, verdict_checksum FROM {Table}
            WHERE group_id = $1 AND peer_id = $2 AND storage_id = $3
            """,
            connection);
        command.Add(key.Group).Add(key.Peer.Value).Add(storageId);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
            return null;
        string verdict = reader.GetString(6);
        var witness = new StorageWitness(
            new StorageMark(storageId, reader.GetInt64(0), reader.GetInt64(1)),
            new DatabaseMoment(reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4)),
            verdict.Length > 0 ? verdict : null);
        return reader.GetInt32(5) == MarkChecksum(key, witness) && reader.GetInt32(7) == VerdictChecksum(key, storageId, verdict)
            ? witness
            : throw new CorruptRowException($"table {Table}, peer {key}, storage {storageId}: checksum");
    }

    /// <summary>All or none of them.</summary>
    /// <param name="rows">None twice.</param>
    /// <returns>The marks that they hold now.</returns>
    public static async Task<StorageMark[]> WriteAsync(
        NpgsqlConnection connection, IReadOnlyList<(PeerKey Key, StorageWitness Witness)> rows)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Marks(rows));
        (PeerKey, StorageWitness)[] judged = [.. rows.Where(row => row.Witness.Verdict is not null)];
        if (judged.Length > 0)
            batch.BatchCommands.Add(Verdicts(judged));
        batch.BatchCommands.Add(Held(rows));
        var held = new StorageMark[rows.Count];
        await using NpgsqlDataReader reader = await batch.ExecuteReaderAsync();
        for (int i = 0; await reader.ReadAsync(); i++)
            held[i] = new StorageMark(rows[i].Witness.Mark.StorageId, reader.GetInt64(0), reader.GetInt64(1));
        // Only the end of the answer confirms that all this is committed.
        await reader.NextResultAsync();
        return held;
    }

    public static async Task<bool> DeleteAsync(NpgsqlConnection connection, PeerKey key, Guid storageId)
    {
        await using var command = new NpgsqlCommand(
            $"DELETE FROM {Table} WHERE group_id = $1 AND peer_id = $2 AND storage_id = $3", connection);
        command.Add(key.Group).Add(key.Peer.Value).Add(storageId);
        return await command.ExecuteNonQueryAsync() > 0;
    }

    // In one order, whoever writes: two silos may write the same rows, and must not wait for each other.
    private static NpgsqlBatchCommand Marks(IReadOnlyList<(PeerKey Key, StorageWitness Witness)> rows)
    {
        var command = new NpgsqlBatchCommand(
            $"""
            INSERT INTO {Table} AS w (
                group_id, peer_id, storage_id, epoch, write_seq, system_id, timeline, lsn, checksum, verdict_checksum)
            SELECT * FROM unnest(
                $1::int[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                $9::int[], $10::int[])
            ORDER BY 1, 2, 3
            ON CONFLICT (group_id, peer_id, storage_id) DO UPDATE SET
                epoch = excluded.epoch, write_seq = excluded.write_seq, system_id = excluded.system_id,
                timeline = excluded.timeline, lsn = excluded.lsn, checksum = excluded.checksum
            WHERE w.epoch <= excluded.epoch AND w.write_seq <= excluded.write_seq
            """);
        AddKeys(command, rows)
            .With(Column(rows, row => row.Witness.Mark.Epoch)).With(Column(rows, row => row.Witness.Mark.WriteSeq))
            .With(Column(rows, row => row.Witness.Moment.System)).With(Column(rows, row => row.Witness.Moment.Timeline))
            .With(Column(rows, row => row.Witness.Moment.Lsn)).With(Column(rows, row => MarkChecksum(row.Key, row.Witness)))
            .With(Column(rows, row => VerdictChecksum(row.Key, row.Witness.Mark.StorageId, "")));
        return command;
    }

    /// <summary>After their marks, which have locked the rows.</summary>
    private static NpgsqlBatchCommand Verdicts(IReadOnlyList<(PeerKey Key, StorageWitness Witness)> rows)
    {
        var command = new NpgsqlBatchCommand(
            $"""
            UPDATE {Table} w SET verdict = v.verdict, verdict_checksum = v.checksum
            FROM unnest($1::int[], $2::bigint[], $3::uuid[], $4::text[], $5::int[])
                AS v (group_id, peer_id, storage_id, verdict, checksum)
            WHERE w.group_id = v.group_id AND w.peer_id = v.peer_id AND w.storage_id = v.storage_id AND w.verdict = ''
            """);
        AddKeys(command, rows)
            .With(Column(rows, row => row.Witness.Verdict!))
            .With(Column(rows, row => VerdictChecksum(row.Key, row.Witness.Mark.StorageId, row.Witness.Verdict!)));
        return command;
    }

    /// <summary>In the order of the rows.</summary>
    private static NpgsqlBatchCommand Held(IReadOnlyList<(PeerKey Key, StorageWitness Witness)> rows)
    {
        var command = new NpgsqlBatchCommand(
            $"""
            SELECT w.epoch, w.write_seq
            FROM unnest($1::int[], $2::bigint[], $3::uuid[]) WITH ORDINALITY AS v (group_id, peer_id, storage_id, ordinal)
            JOIN {Table} w USING (group_id, peer_id, storage_id)
            ORDER BY v.ordinal
            """);
        AddKeys(command, rows);
        return command;
    }

    private static NpgsqlParameterCollection AddKeys(
        NpgsqlBatchCommand command, IReadOnlyList<(PeerKey Key, StorageWitness Witness)> rows) =>
        command.Parameters.With(Column(rows, row => row.Key.Group)).With(Column(rows, row => row.Key.Peer.Value))
            .With(Column(rows, row => row.Witness.Mark.StorageId));

    private static T[] Column<T>(
        IReadOnlyList<(PeerKey Key, StorageWitness Witness)> rows, Func<(PeerKey Key, StorageWitness Witness), T> field) =>
        [.. rows.Select(field)];

    private static int MarkChecksum(PeerKey key, StorageWitness witness) =>
        Of(RowKind.WitnessMark, key, witness.Mark.StorageId)
            .Add(witness.Mark.Epoch).Add(witness.Mark.WriteSeq)
            .Add(witness.Moment.System).Add(witness.Moment.Timeline).Add(witness.Moment.Lsn).Value;

    private static int VerdictChecksum(PeerKey key, Guid storageId, string verdict) =>
        Of(RowKind.WitnessVerdict, key, storageId).Add(Encoding.UTF8.GetBytes(verdict)).Value;

    private static RowChecksum Of(RowKind kind, PeerKey key, Guid storageId) =>
        new RowChecksum(kind).Add(key.Group).Add(key.Peer.Value).Add(storageId);
}
