using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// The row that says which silo of a cluster a database is for. Invariant: it is inserted once, with a random storage id,
/// and only into a database that holds no cluster; its bootstrap is written once, with the rows of the silo's peer.
/// </summary>
internal static class SiloStore
{
    /// <summary>Null: the database is no silo's.</summary>
    public static async Task<StoredSilo?> ReadAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            "SELECT silo_id, storage_id, bootstrap, checksum FROM coordinator.silo", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
        {
            return null;
        }

        var silo = new StoredSilo(
            reader.GetString(0), reader.GetGuid(1), reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2));
        return reader.GetInt32(3) == Checksum(silo) ? silo : throw new CorruptRowException("table silo: checksum");
    }

    /// <summary>Makes the database this silo's, unless it belongs to somebody already.</summary>
    /// <returns>Whose it is; null: it holds a cluster, and is no silo's.</returns>
    public static async Task<StoredSilo?> ClaimAsync(NpgsqlConnection connection, string siloId)
    {
        var silo = new StoredSilo(siloId, new Guid(RandomNumberGenerator.GetBytes(16)), Bootstrap: null);
        await using (var command = new NpgsqlCommand(
            """
            INSERT INTO coordinator.silo (silo_id, storage_id, checksum)
            SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM coordinator.cluster)
            ON CONFLICT DO NOTHING
            """,
            connection))
        {
            command.Add(silo.SiloId).Add(silo.StorageId).Add(Checksum(silo));
            await command.ExecuteNonQueryAsync();
        }

        // Another process may have been first.
        return await ReadAsync(connection);
    }

    /// <exception cref="InvalidOperationException">The row is another, or has its bootstrap.</exception>
    public static async Task WriteBootstrapAsync(NpgsqlConnection connection, StoredSilo silo)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE coordinator.silo SET bootstrap = $3, checksum = $4
            WHERE silo_id = $1 AND storage_id = $2 AND bootstrap IS NULL
            """,
            connection);
        command.Add(silo.SiloId).Add(silo.StorageId).Add(silo.Bootstrap!).Add(Checksum(silo));
        if (await command.ExecuteNonQueryAsync() != 1)
        {
            throw new InvalidOperationException($"The database is not that of silo {silo.SiloId} any longer.");
        }
    }

    private static int Checksum(StoredSilo silo) => new RowChecksum(RowKind.Silo)
        .Add(Encoding.UTF8.GetBytes(silo.SiloId)).Add(silo.StorageId).Add(silo.Bootstrap ?? []).Value;
}
