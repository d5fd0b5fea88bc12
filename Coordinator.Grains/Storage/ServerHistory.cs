using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>Where a server's write-ahead log stands.</summary>
internal static class ServerHistory
{
    /// <summary>The position is flushed: what is only inserted may be gone after a crash that loses nothing.</summary>
    public static async Task<DatabaseMoment> ReadMomentAsync(NpgsqlConnection connection)
    {
        // The timeline is in the name of the file that is written to; the control file has it as of the last checkpoint.
        await using var command = new NpgsqlCommand(
            """
            SELECT (SELECT system_identifier FROM pg_control_system()),
                   ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint,
                   (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint
            """,
            connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new DatabaseMoment(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
    }
}
