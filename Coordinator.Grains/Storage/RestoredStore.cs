using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// The row that says what snapshot files a cluster was made of whose peers are all in this database. Invariant: it is written
/// in the transaction that makes the cluster, or never.
/// </summary>
internal static class RestoredStore
{
    /// <summary>Null: there is no such cluster, or it was made of nothing.</summary>
    public static async Task<byte[]?> ReadAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("SELECT what, checksum FROM coordinator.restored", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
        {
            return null;
        }

        byte[] what = reader.GetFieldValue<byte[]>(0);
        return reader.GetInt32(1) == Checksum(what) ? what : throw new CorruptRowException("table restored: checksum");
    }

    /// <summary>Part of the bootstrap's transaction.</summary>
    public static async Task InsertAsync(NpgsqlConnection connection, byte[] what)
    {
        await using var command = new NpgsqlCommand("INSERT INTO coordinator.restored (what, checksum) VALUES ($1, $2)", connection);
        command.Add(what).Add(Checksum(what));
        await command.ExecuteNonQueryAsync();
    }

    private static int Checksum(byte[] what) => new RowChecksum(RowKind.Restored).Add(what).Value;
}
