using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Brings a database to this program's schema, forward only. Invariant: two starters never run a step twice.
/// </summary>
internal static class Migrator
{
    // Any constant of the program's own will do; it is the same for all versions for all time.
    private const long AdvisoryLock = 0x436f_6f72_6469_6e61;

    /// <returns>The version that was found.</returns>
    /// <exception cref="SchemaTooNewException">A newer program wrote it.</exception>
    public static async Task<int> MigrateAsync(NpgsqlConnection connection)
    {
        int found = await ReadVersionAsync(connection);
        for (int version = found; version < Schema.Version;)
        {
            version = await StepAsync(connection);
        }

        return found;
    }

    private static async Task<int> StepAsync(NpgsqlConnection connection)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLock})");

        // Read again behind the lock: another starter may have taken this step meanwhile.
        int version = await ReadVersionAsync(connection);
        if (version < Schema.Version)
        {
            if (version == 0)
            {
                await ExecuteAsync(
                    connection,
                    """
                    CREATE SCHEMA IF NOT EXISTS coordinator;
                    CREATE TABLE coordinator.schema_version (
                        version     integer PRIMARY KEY,
                        applied_at  timestamptz NOT NULL DEFAULT now()
                    );
                    """);
            }

            await ExecuteAsync(connection, Schema.Migrations[version]);
            version++;
            await ExecuteAsync(connection, $"INSERT INTO coordinator.schema_version (version) VALUES ({version})");
        }

        await transaction.CommitAsync();
        return version;
    }

    /// <summary>0: the database is not this program's.</summary>
    /// <exception cref="SchemaTooNewException">A newer program wrote it.</exception>
    public static async Task<int> ReadVersionAsync(NpgsqlConnection connection)
    {
        // Asked of the catalogue's tables: to_regclass may answer from a cache that is older than the advisory lock.
        await using var exists = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'coordinator' AND tablename = 'schema_version')",
            connection);
        if (await exists.ExecuteScalarAsync() is not true)
        {
            return 0;
        }

        await using var read = new NpgsqlCommand(
            "SELECT coalesce(max(version), 0) FROM coordinator.schema_version", connection);
        int version = (int)(await read.ExecuteScalarAsync())!;
        return version <= Schema.Version ? version : throw new SchemaTooNewException(version, Schema.Version);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
