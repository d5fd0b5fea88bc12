using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Rule 3's statement, prepared on a connection of its own: one round trip, one implicit transaction for any number of
/// peers. Invariant: a peer's row, log and pointer change together or not at all, and only on a row that matches.
/// </summary>
internal sealed class WriteStatement : IAsyncDisposable
{
    // Locks are taken in key order and never waited for, so statements of several silos cannot deadlock. An UPDATE
    // that meets a row changed since the statement began checks its newest version again, so a take-over between the
    // statement's snapshot and its lock fences it. What matched was last written by this very activation, before this
    // statement was sent: the snapshot that the log is read by is no older than the row.
    //
    // All parts see one snapshot, so a row cannot be deleted and inserted again: entries that the log already has are
    // overwritten, and only those past the new ones are deleted. The two deletes and the insert touch different rows.
    //
    // Raft: the term never falls (§5.1), a vote never changes within a term (§5.2), what is committed stays (rule 8).
    private const string Sql =
        """
        WITH wanted AS MATERIALIZED (
            SELECT * FROM unnest(
                $1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::int[], $9::bigint[], $10::bigint[], $11::int[], $12::bool[], $13::bigint[],
                $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::int[], $19::bigint[], $20::int[], $28::bytea[])
            WITH ORDINALITY AS w (
                group_id, peer_id, epoch, write_seq, term, vote, commit_index, checksum,
                first_index, last_index, log_checksum, replace_log, compact_through,
                snapshot_epoch, snapshot_id, snapshot_index, snapshot_term, snapshot_chunks, snapshot_bytes,
                snapshot_checksum, sightings, ordinal)
        ),
        locked AS MATERIALIZED (
            SELECT p.group_id, p.peer_id FROM coordinator.peer p
            WHERE (p.group_id, p.peer_id) IN (SELECT w.group_id, w.peer_id FROM wanted w)
            ORDER BY p.group_id, p.peer_id
            FOR UPDATE OF p SKIP LOCKED
        ),
        updated AS (
            UPDATE coordinator.peer p SET
                write_seq = w.write_seq, term = w.term, vote = w.vote, commit_index = w.commit_index,
                checksum = w.checksum,
                last_index = coalesce(w.last_index, p.last_index),
                log_checksum = coalesce(w.log_checksum, p.log_checksum),
                snapshot_epoch = coalesce(w.snapshot_epoch, p.snapshot_epoch),
                snapshot_id = coalesce(w.snapshot_id, p.snapshot_id),
                snapshot_index = coalesce(w.snapshot_index, p.snapshot_index),
                snapshot_term = coalesce(w.snapshot_term, p.snapshot_term),
                snapshot_chunks = coalesce(w.snapshot_chunks, p.snapshot_chunks),
                snapshot_bytes = coalesce(w.snapshot_bytes, p.snapshot_bytes),
                snapshot_checksum = coalesce(w.snapshot_checksum, p.snapshot_checksum),
                sightings = coalesce(w.sightings, p.sightings)
            FROM wanted w JOIN locked l ON l.group_id = w.group_id AND l.peer_id = w.peer_id
            WHERE p.group_id = w.group_id AND p.peer_id = w.peer_id
              AND p.epoch = w.epoch AND p.write_seq = w.write_seq - 1
              AND (p.term < w.term OR p.term = w.term AND (p.vote = 0 OR p.vote = w.vote))
              AND p.commit_index <= w.commit_index
              AND w.commit_index <= coalesce(w.last_index, p.last_index)
              AND (w.replace_log OR w.first_index IS NULL
                   OR w.first_index > p.commit_index AND w.first_index <= p.last_index + 1)
              AND (w.snapshot_index IS NULL
                   OR w.snapshot_index BETWEEN p.snapshot_index AND coalesce(w.last_index, p.last_index))
              AND w.compact_through <= coalesce(w.snapshot_index, p.snapshot_index)
            RETURNING p.group_id, p.peer_id, w.ordinal, w.last_index AS keep_last,
                CASE WHEN w.replace_log THEN w.snapshot_index ELSE w.compact_through END AS drop_through
        ),
        dropped_tail AS (
            DELETE FROM coordinator.log e USING updated u
            WHERE e.group_id = u.group_id AND e.peer_id = u.peer_id AND e.index > u.keep_last
        ),
        dropped_head AS (
            DELETE FROM coordinator.log e USING updated u
            WHERE e.group_id = u.group_id AND e.peer_id = u.peer_id AND e.index <= u.drop_through
        ),
        appended AS (
            INSERT INTO coordinator.log (group_id, peer_id, index, term, type, stamp, data, checksum)
            SELECT u.group_id, u.peer_id, e.index, e.term, e.type, e.stamp, e.data, e.checksum
            FROM unnest($21::int[], $22::bigint[], $23::bigint[], $24::smallint[], $25::bigint[], $26::bytea[],
                        $27::int[]) AS e (ordinal, index, term, type, stamp, data, checksum)
            JOIN updated u ON u.ordinal = e.ordinal
            ON CONFLICT (group_id, peer_id, index) DO UPDATE SET
                term = excluded.term, type = excluded.type, stamp = excluded.stamp, data = excluded.data,
                checksum = excluded.checksum
        )
        SELECT w.ordinal::int, CASE
            WHEN EXISTS (SELECT FROM updated u WHERE u.ordinal = w.ordinal) THEN 'committed'
            WHEN EXISTS (SELECT FROM locked l WHERE l.group_id = w.group_id AND l.peer_id = w.peer_id) THEN 'fenced'
            WHEN EXISTS (SELECT FROM coordinator.peer p WHERE p.group_id = w.group_id AND p.peer_id = w.peer_id)
                THEN 'busy'
            ELSE 'missing' END
        FROM wanted w
        """;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _command;
    private readonly WarningWatch _warnings;

    private WriteStatement(NpgsqlConnection connection)
    {
        _connection = connection;
        _command = new NpgsqlCommand(Sql, connection);
        _warnings = new WarningWatch(connection);
        Bind(new WriteBatch([]));
    }

    /// <summary>Connects and prepares; nothing is written if it throws.</summary>
    public static async Task<WriteStatement> PrepareAsync(DatabaseConnections connections)
    {
        var statement = new WriteStatement(await connections.OpenAsync(CancellationToken.None));
        try
        {
            await Watchdog.RunAsync(
                statement._connection, statement.PrepareCommandAsync, connections.WriteTimeout, connections.Time);
            return statement;
        }
        catch
        {
            await statement.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// One outcome for each write, in order. Whatever it throws, the writes may have landed, or land later.
    /// </summary>
    /// <exception cref="UnconfirmedException">The server answered with a warning (rule 7).</exception>
    public async Task<WriteOutcome[]> ExecuteAsync(WriteBatch batch, TimeSpan timeout, TimeProvider time)
    {
        _warnings.Clear();
        Bind(batch);
        WriteOutcome[] outcomes = await Watchdog.RunAsync(
            _connection, () => ReadOutcomesAsync(batch.Writes.Count), timeout, time);
        return _warnings.Last is { } warning ? throw new UnconfirmedException(warning) : outcomes;
    }

    public async ValueTask DisposeAsync()
    {
        await _command.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task<bool> PrepareCommandAsync()
    {
        await _command.PrepareAsync();
        return true;
    }

    // The server commits after the rows and the command's completion were sent, when it reads the Sync that follows:
    // only the end of the reader, which waits for the answer to that, confirms it.
    private async Task<WriteOutcome[]> ReadOutcomesAsync(int writes)
    {
        var outcomes = new WriteOutcome[writes];
        Array.Fill(outcomes, WriteOutcome.Unknown);
        await using (NpgsqlDataReader reader = await _command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                outcomes[reader.GetInt32(0) - 1] = OutcomeOf(reader.GetString(1));
            }

            await reader.NextResultAsync();
        }

        return outcomes;
    }

    private static WriteOutcome OutcomeOf(string word) => word switch
    {
        "committed" => WriteOutcome.Committed,
        "fenced" => WriteOutcome.Fenced,
        "busy" => WriteOutcome.Busy,
        "missing" => WriteOutcome.Missing,
        _ => throw new InvalidOperationException($"The write statement answered {word}."),
    };

    private void Bind(WriteBatch batch)
    {
        _command.Parameters.Clear();
        _command
            .Add(batch.Groups).Add(batch.Peers).Add(batch.Epochs).Add(batch.WriteSeqs).Add(batch.Terms).Add(batch.Votes)
            .Add(batch.Commits).Add(batch.Checksums).Add(batch.FirstIndexes).Add(batch.LastIndexes)
            .Add(batch.LogChecksums).Add(batch.ReplaceLogs).Add(batch.CompactThroughs).Add(batch.SnapshotEpochs)
            .Add(batch.SnapshotIds).Add(batch.SnapshotIndexes).Add(batch.SnapshotTerms).Add(batch.SnapshotChunkCounts)
            .Add(batch.SnapshotBytes).Add(batch.SnapshotChecksums)
            .Add(batch.EntryWrites).Add(batch.EntryIndexes).Add(batch.EntryTerms).Add(batch.EntryTypes)
            .Add(batch.EntryStamps).Add(batch.EntryData).Add(batch.EntryChecksums).Add(batch.Sightings);
    }
}
