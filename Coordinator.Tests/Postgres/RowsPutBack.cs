using Npgsql;

namespace Coordinator.Tests.Postgres;

/// <summary>A database that goes back in time behind its peers' back: all that they have stored is put back as it was.</summary>
internal static class RowsPutBack
{
    private static readonly string[] Tables = ["cluster", "silo", "peer", "log", "snapshot_chunk"];

    /// <summary>A copy of all that is stored, as of one moment.</summary>
    public static Task KeepAsync(NpgsqlConnection connection, string name) => ExecuteAsync(
        connection,
        $"BEGIN ISOLATION LEVEL REPEATABLE READ; DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name};"
        + string.Concat(Tables.Select(table => $"CREATE TABLE {name}.{table} AS TABLE coordinator.{table};")) + "COMMIT");

    public static Task PutBackAsync(NpgsqlConnection connection, string name) => ExecuteAsync(
        connection,
        "BEGIN;" + string.Concat(Tables.Select(table =>
            $"TRUNCATE coordinator.{table}; INSERT INTO coordinator.{table} SELECT * FROM {name}.{table};")) + "COMMIT");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
