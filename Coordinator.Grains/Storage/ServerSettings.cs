using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>What a session sees of the settings that durability hangs on (rule 7).</summary>
internal sealed record ServerSettings(
    string SynchronousCommit,
    string Fsync,
    string FullPageWrites,
    bool InRecovery,
    int BackendId,
    int ConnectedBackendId,
    string StatementTimeout,
    int ServerVersion)
{
    private const int ServerVersionMin = 140000;
    private const int TimeoutSeconds = 5;

    public static async Task<ServerSettings> ReadAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),
                   pg_is_in_recovery(), pg_backend_pid(), current_setting('statement_timeout'),
                   current_setting('server_version_num')::int
            """,
            connection);
        command.CommandTimeout = TimeoutSeconds;
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new ServerSettings(
            reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3), reader.GetInt32(4),
            connection.ProcessID, reader.GetString(5), reader.GetInt32(6));
    }

    /// <summary>Why this server must not be written to; empty when it may.</summary>
    public IReadOnlyList<string> Refusals()
    {
        var refusals = new List<string>();
        if (ServerVersion < ServerVersionMin)
        {
            refusals.Add($"the server's version is {ServerVersion / 10000}: use PostgreSQL 14 or newer");
        }

        if (Fsync != "on")
        {
            refusals.Add($"fsync is {Fsync}: a crash of the machine would corrupt what is stored; set fsync = on");
        }

        if (FullPageWrites != "on")
        {
            refusals.Add($"full_page_writes is {FullPageWrites}: a torn page would lose rows; set it to on");
        }

        if (InRecovery)
        {
            refusals.Add("the server is in recovery (a standby): connect to the primary");
        }

        // Asked for at start-up by this very session: other values mean that something in between dropped them.
        if (SynchronousCommit != "on" || StatementTimeout != "0")
        {
            refusals.Add(
                $"the session has synchronous_commit = {SynchronousCommit} and statement_timeout = {StatementTimeout} "
                + "against its own settings: a pooler in between is not supported, connect to the server directly");
        }

        if (BackendId != ConnectedBackendId)
        {
            refusals.Add(
                $"backend {BackendId} answers on a connection to backend {ConnectedBackendId}: "
                + "a pooler in between is not supported, connect to the server directly");
        }

        return refusals;
    }
}
