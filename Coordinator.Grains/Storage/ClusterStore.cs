using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Bootstrap, and what it left. Invariant: a cluster row is inserted once, with the database's first peer (rule 1).
/// </summary>
internal static class ClusterStore
{
    private const string PeersQuery = "SELECT group_id, peer_id, storage_id, identity_checksum FROM coordinator.peer";

    public static async Task<StoredCluster?> ReadAsync(NpgsqlConnection connection)
    {
        Guid clusterId;
        int groups;
        await using (var command = new NpgsqlCommand(
            "SELECT cluster_id, groups, checksum FROM coordinator.cluster", connection))
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync())
        {
            if (!await reader.ReadAsync())
            {
                return null;
            }

            clusterId = reader.GetGuid(0);
            groups = reader.GetInt32(1);
            if (reader.GetInt32(2) != RowChecksums.Cluster(clusterId, groups))
            {
                throw new CorruptRowException("table cluster: checksum");
            }
        }

        return new StoredCluster(clusterId, groups, await ReadPeersAsync(connection));
    }

    public static async Task BootstrapAsync(
        NpgsqlConnection connection, Guid clusterId, int groups, IReadOnlyList<NewPeer> peers, StoredSilo? silo = null)
    {
        if (peers.FirstOrDefault(p => p.HardState.Commit != p.SnapshotIndex) is { } wrong)
        {
            throw new ArgumentException(
                $"Peer {wrong.Key} has commit index {wrong.HardState.Commit}, its snapshot {wrong.SnapshotIndex}.",
                nameof(peers));
        }

        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await RefuseUnlessEmptyAsync(connection);
        await InsertAsync(connection, clusterId, groups);
        await PeerRows.InsertAsync(connection, peers);

        if (silo is not null)
        {
            await SiloStore.WriteBootstrapAsync(connection, silo);
        }

        await transaction.CommitAsync();
    }

    /// <summary>Part of the transaction in which a database takes part in a cluster.</summary>
    public static async Task InsertAsync(NpgsqlConnection connection, Guid clusterId, int groups)
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO coordinator.cluster (cluster_id, groups, checksum) VALUES ($1, $2, $3)", connection);
        command.Add(clusterId).Add(groups).Add(RowChecksums.Cluster(clusterId, groups));
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Whether there are peers, and none knows of a term after the first.</summary>
    public static async Task<bool> IsUntouchedAsync(NpgsqlConnection connection, Term first)
    {
        await using var command = new NpgsqlCommand(
            "SELECT coalesce(max(term) <= $1, false) FROM coordinator.peer", connection);
        command.Add(first.Value);
        return await command.ExecuteScalarAsync() is true;
    }

    /// <summary>Null: the peer has no row.</summary>
    public static async Task<Guid?> FindPeerAsync(NpgsqlConnection connection, PeerKey key)
    {
        await using var command = new NpgsqlCommand($"{PeersQuery} WHERE group_id = $1 AND peer_id = $2", connection);
        command.Add(key.Group).Add(key.Peer.Value);
        return (await ReadPeersAsync(command)) is [var found] ? found.StorageId : null;
    }

    private static async Task<IReadOnlyList<StoredPeer>> ReadPeersAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand($"{PeersQuery} ORDER BY group_id, peer_id", connection);
        return await ReadPeersAsync(command);
    }

    private static async Task<IReadOnlyList<StoredPeer>> ReadPeersAsync(NpgsqlCommand command)
    {
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var peers = new List<StoredPeer>();
        while (await reader.ReadAsync())
        {
            var key = new PeerKey(reader.GetInt32(0), new PeerId(reader.GetInt64(1)));
            var peer = new StoredPeer(key, reader.GetGuid(2));
            if (reader.GetInt32(3) != RowChecksums.Identity(key, peer.StorageId))
            {
                throw new CorruptRowException($"table peer, peer {key}: checksum of storage_id");
            }

            peers.Add(peer);
        }

        return peers;
    }

    private static async Task RefuseUnlessEmptyAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            LOCK TABLE coordinator.cluster, coordinator.peer IN SHARE ROW EXCLUSIVE MODE;
            SELECT (SELECT 'cluster ' || cluster_id FROM coordinator.cluster),
                   (SELECT 'peer ' || group_id || '/' || peer_id FROM coordinator.peer
                    ORDER BY group_id, peer_id LIMIT 1)
            """,
            connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        for (int column = 0; column < reader.FieldCount; column++)
        {
            if (!reader.IsDBNull(column))
            {
                throw new AlreadyBootstrappedException(reader.GetString(column));
            }
        }
    }
}
