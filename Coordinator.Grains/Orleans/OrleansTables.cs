using Npgsql;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The tables that Orleans' ADO.NET providers work on: their packages bring none. The providers read the text of every
/// query from a table, by its key; tables and texts here are this project's own, in a schema of its own, so that they meet
/// no others. Invariant: two installers at once leave what one leaves.
/// </summary>
public static partial class OrleansTables
{
    /// <summary>The providers' name for PostgreSQL.</summary>
    public const string Invariant = "Npgsql";

    internal const string Schema = "coordinator_orleans";
    private const string PoolSizeKey = "Maximum Pool Size";
    private const int ConnectionsMax = 4;
    private const long AdvisoryLock = 0x436f_6f72_644f_726c;

    /// <summary>The same database, for Orleans' providers.</summary>
    public static string ConnectionString(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = Schema };
        // The providers take a connection for each query: silos that take over many peers would take all of the server's.
        if (!builder.ContainsKey(PoolSizeKey))
            builder.MaxPoolSize = ConnectionsMax;
        return builder.ConnectionString;
    }

    /// <summary>Idempotent; waits for nothing but its own kind.</summary>
    /// <exception cref="NpgsqlException">The database cannot be used.</exception>
    public static async Task InstallAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(ConnectionString(connectionString));
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLock})", cancellationToken);
        await ExecuteAsync(connection, $"CREATE SCHEMA IF NOT EXISTS {Schema}", cancellationToken);
        await ExecuteAsync(connection, Tables, cancellationToken);
        foreach ((string key, string text) in Queries)
        {
            await using var command = new NpgsqlCommand(
                """
                INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ($1, $2)
                ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText
                """,
                connection);
            command.Parameters.Add(new NpgsqlParameter { Value = key });
            command.Parameters.Add(new NpgsqlParameter { Value = text });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
