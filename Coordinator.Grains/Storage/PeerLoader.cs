using System.Data;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Reads all that is stored of a peer, in one consistent read after its activation committed (rule 2). Invariant:
/// what it returns was verified row by row, and nothing is skipped (rule 9).
/// </summary>
internal static class PeerLoader
{
    public static async Task<ActivationResult> LoadAsync(NpgsqlConnection connection, PeerKey key, long epoch)
    {
        await using NpgsqlTransaction transaction =
            await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        try
        {
            PeerRow? row = await PeerRow.ReadAsync(connection, key);
            if (row is null)
            {
                return new ActivationResult.Missing();
            }

            if (row.Epoch != epoch)
            {
                return row.Epoch > epoch
                    ? new ActivationResult.Superseded(row.Epoch)
                    : new ActivationResult.WentBack($"epoch {row.Epoch} is stored, {epoch} was committed");
            }

            ReadOnlyMemory<byte> snapshot = await SnapshotChunks.ReadAsync(connection, key, row.Snapshot);
            IReadOnlyList<Entry> entries = await ReadLogAsync(connection, row);
            return new ActivationResult.Activated(new LoadedPeer(
                key, row.StorageId, row.Epoch, row.WriteSeq, row.HardState, new StoredSnapshot(row.Snapshot, snapshot),
                entries)
            {
                Sightings = row.Sightings,
                Moment = await ServerHistory.ReadMomentAsync(connection),
            });
        }
        catch (CorruptRowException e)
        {
            return new ActivationResult.Corrupt(e.Row);
        }
    }

    /// <exception cref="CorruptRowException">A row is damaged or missing.</exception>
    public static async Task<IReadOnlyList<Entry>> ReadLogAsync(NpgsqlConnection connection, PeerRow row)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT index, term, type, stamp, data, checksum FROM coordinator.log
            WHERE group_id = $1 AND peer_id = $2 ORDER BY index
            """,
            connection);
        command.Add(row.Key.Group).Add(row.Key.Peer.Value);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var entries = new List<Entry>();
        while (await reader.ReadAsync())
        {
            var entry = new Entry(
                new Term(reader.GetInt64(1)), reader.GetInt64(0), (EntryType)reader.GetInt16(2),
                reader.GetFieldValue<byte[]>(4), reader.GetInt64(3));
            if (reader.GetInt32(5) != RowChecksums.Entry(row.Key, entry))
            {
                throw Damaged(row.Key, entry.Index, "checksum");
            }

            if (entries.Count > 0 && entry.Index != entries[^1].Index + 1)
            {
                throw Damaged(row.Key, entries[^1].Index + 1, "missing");
            }

            entries.Add(entry);
        }

        VerifyEnds(row, entries);
        return entries;
    }

    // The log reaches from the snapshot, or before it, to the row's last index: an entry lost at either end is missed
    // too.
    private static void VerifyEnds(PeerRow row, List<Entry> entries)
    {
        long first = entries.Count > 0 ? entries[0].Index : row.Snapshot.Index + 1;
        long last = entries.Count > 0 ? entries[^1].Index : row.Snapshot.Index;
        if (first > row.Snapshot.Index + 1)
        {
            throw Damaged(row.Key, row.Snapshot.Index + 1, $"missing, after the snapshot at {row.Snapshot.Index}");
        }

        if (last < row.LastIndex)
        {
            throw Damaged(row.Key, last + 1, $"missing, the last is {row.LastIndex}");
        }

        if (last > row.LastIndex)
        {
            throw Damaged(row.Key, row.LastIndex + 1, $"unexpected, the last is {row.LastIndex}");
        }
    }

    private static CorruptRowException Damaged(PeerKey key, long index, string what) =>
        new($"table log, peer {key}, index {index}: {what}");
}
