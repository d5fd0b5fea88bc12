using Npgsql;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>
/// The server's side of a script, on a connection of its own: makes write statements wait or fail by triggers, and does
/// what an operator does by hand.
/// </summary>
internal sealed class SteeredServer(Func<Task<NpgsqlConnection>> connect) : IAsyncDisposable
{
    private static readonly string[] Tables = ["peer", "log", "snapshot_chunk"];

    private NpgsqlConnection? _connection;

    public async Task PrepareAsync() => await ExecuteAsync(
        """
        CREATE SCHEMA steering;
        CREATE TABLE steering.refusal ();
        CREATE TABLE steering.peer (LIKE coordinator.peer);
        CREATE TABLE steering.log (LIKE coordinator.log);
        CREATE TABLE steering.snapshot_chunk (LIKE coordinator.snapshot_chunk);
        CREATE FUNCTION steering.at_begin() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_query() LIKE '%wanted AS%' THEN
                IF EXISTS (SELECT FROM steering.refusal) THEN RAISE EXCEPTION 'refused' USING ERRCODE = 'disk_full'; END IF;
                PERFORM pg_advisory_xact_lock_shared(77);
            END IF;
            RETURN NULL;
        END $$;
        CREATE FUNCTION steering.at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(78);
            RETURN NULL;
        END $$;
        CREATE TRIGGER at_begin BEFORE UPDATE ON coordinator.peer FOR EACH STATEMENT EXECUTE FUNCTION steering.at_begin();
        CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON coordinator.peer DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION steering.at_commit();
        """);

    /// <summary>Write statements wait after their snapshot was taken, before they lock a row.</summary>
    public Task HoldBeginsAsync() => ExecuteAsync("SELECT pg_advisory_lock(77)");

    /// <summary>Whatever changes a peer's row waits before its commit.</summary>
    public Task HoldCommitsAsync() => ExecuteAsync("SELECT pg_advisory_lock(78)");

    public Task ReleaseAsync() => ExecuteAsync("SELECT pg_advisory_unlock_all()");

    public Task RefuseWritesAsync() => ExecuteAsync("INSERT INTO steering.refusal DEFAULT VALUES");

    public Task AdmitWritesAsync() => ExecuteAsync("DELETE FROM steering.refusal");

    /// <summary>How many sessions of a client wait for a lock, of a row or a held one.</summary>
    public Task<long> WaitingAsync(string application) => SessionsAsync(application, "wait_event_type = 'Lock'");

    /// <summary>How many sessions of a client execute a statement, or wait in it.</summary>
    public Task<long> ActiveAsync(string application) => SessionsAsync(application, "state = 'active'");

    public Task TerminateWaitingAsync(string application) => ExecuteAsync(
        $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{application}' AND wait_event_type = 'Lock'");

    public Task RemoveRowAsync(int group, long peer) =>
        ExecuteAsync($"DELETE FROM coordinator.peer WHERE group_id = {group} AND peer_id = {peer}");

    public Task BackupAsync(int group) => ExecuteAsync(string.Concat(Tables.Select(table =>
        $"DELETE FROM steering.{table}; INSERT INTO steering.{table} SELECT * FROM coordinator.{table} WHERE group_id = {group};")));

    public Task RestoreAsync(int group) => ExecuteAsync(string.Concat(Tables.Select(table =>
        $"DELETE FROM coordinator.{table} WHERE group_id = {group}; INSERT INTO coordinator.{table} SELECT * FROM steering.{table};")));

    public async Task<NpgsqlCommand> CommandAsync(string sql)
    {
        if (_connection is not { State: System.Data.ConnectionState.Open })
        {
            await DisposeAsync();
            _connection = await connect();
        }

        return new NpgsqlCommand(sql, _connection);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    private async Task<long> SessionsAsync(string application, string condition)
    {
        await using NpgsqlCommand command = await CommandAsync(
            $"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}' AND {condition}");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using NpgsqlCommand command = await CommandAsync(sql);
        await command.ExecuteNonQueryAsync();
    }
}
