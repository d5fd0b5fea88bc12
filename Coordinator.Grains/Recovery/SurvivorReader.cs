using System.Data;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Recovery;

/// <summary>
/// Reads all that a stopped silo's database holds, verified row by row, in one read-only transaction. Nothing is changed:
/// no activation, no migration.
/// </summary>
public static class SurvivorReader
{
    /// <param name="source">What it is called to a person.</param>
    /// <exception cref="RecoveryException">It holds no cluster, or somebody is using it.</exception>
    /// <exception cref="NpgsqlException">It cannot be read.</exception>
    public static async Task<SurvivingDatabase> ReadAsync(
        string source, string connectionString, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await RequireUnusedAsync(connection, source, cancellationToken);
        await using NpgsqlTransaction transaction =
            await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using (var readOnly = new NpgsqlCommand("SET TRANSACTION READ ONLY", connection))
            await readOnly.ExecuteNonQueryAsync(cancellationToken);
        try
        {
            if (await Migrator.ReadVersionAsync(connection) == 0)
                throw new RecoveryException($"{source} holds nothing of Coordinator's.");
            return await ReadAsync(source, connection);
        }
        catch (DatabaseRefusedException e)
        {
            // What names the cluster and its peers is damaged itself, or a later program's.
            throw new RecoveryException($"{source} cannot be recovered from: {e.Message}");
        }
    }

    private static async Task<SurvivingDatabase> ReadAsync(string source, NpgsqlConnection connection)
    {
        StoredCluster cluster = await ClusterStore.ReadAsync(connection)
            ?? throw new RecoveryException($"{source} holds no cluster.");
        List<Survivor> survivors = [];
        List<DamagedPeer> damaged = [];
        foreach (StoredPeer peer in cluster.Peers)
        {
            try
            {
                survivors.Add(new Survivor(source, cluster.ClusterId, await ReadPeerAsync(connection, peer.Key)));
            }
            catch (CorruptRowException e)
            {
                damaged.Add(new DamagedPeer(source, peer.Key, e.Row));
            }
        }
        return new SurvivingDatabase(source, cluster.ClusterId, survivors, damaged) { Groups = cluster.Groups };
    }

    private static async Task<LoadedPeer> ReadPeerAsync(NpgsqlConnection connection, PeerKey key)
    {
        // Of the same moment as the list of peers.
        PeerRow row = (await PeerRow.ReadAsync(connection, key))!;
        ReadOnlyMemory<byte> snapshot = await SnapshotChunks.ReadAsync(connection, key, row.Snapshot);
        IReadOnlyList<Entry> entries = await PeerLoader.ReadLogAsync(connection, row);
        return new LoadedPeer(
            key, row.StorageId, row.Epoch, row.WriteSeq, row.HardState, new StoredSnapshot(row.Snapshot, snapshot), entries);
    }

    // A silo that runs may have a quorum, and writes on while this reads.
    private static async Task RequireUnusedAsync(
        NpgsqlConnection connection, string source, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            """,
            connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is long and > 0 and var others)
        {
            throw new RecoveryException(
                $"{source} is in use: {others} other connections. Stop its silo, and whoever else looks at it.");
        }
    }
}
