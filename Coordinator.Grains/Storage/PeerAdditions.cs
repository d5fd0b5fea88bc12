using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// What a peer was added for. Stored in one transaction with the peer's first rows, in the same database, so that whoever
/// goes on after a stop, of its own silo or of the leader's, knows it.
/// </summary>
/// <param name="Nonce">The operator's: asked again with the same one, there is still one peer.</param>
/// <param name="StaysLearner">False: it is to vote once it has caught up.</param>
/// <param name="Replaces">Whose place it takes then; none: nobody's.</param>
internal sealed record PeerAddition(PeerKey Key, Guid StorageId, Guid Nonce, bool StaysLearner, PeerId Replaces = default);

/// <summary>The table of them. Invariant: one for each nonce of a group.</summary>
internal static class PeerAdditions
{
    /// <summary>An earlier one under the nonce came to nothing, or the operator would have been told of its peer.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, PeerAddition addition)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO coordinator.peer_addition (group_id, nonce, peer_id, storage_id, stays_learner, checksum, replaces)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (group_id, nonce) DO UPDATE SET peer_id = excluded.peer_id, storage_id = excluded.storage_id,
                stays_learner = excluded.stays_learner, checksum = excluded.checksum, replaces = excluded.replaces
            """,
            connection);
        command.Add(addition.Key.Group).Add(addition.Nonce).Add(addition.Key.Peer.Value).Add(addition.StorageId)
            .Add(addition.StaysLearner).Add(RowChecksums.Addition(addition)).Add(addition.Replaces.Value);
        await command.ExecuteNonQueryAsync();
    }

    /// <param name="group">Null: of all.</param>
    public static async Task<IReadOnlyList<PeerAddition>> ReadAsync(NpgsqlConnection connection, int? group)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT peer_id, storage_id, nonce, stays_learner, checksum, replaces, group_id
            FROM coordinator.peer_addition {(group is null ? "" : "WHERE group_id = $1")} ORDER BY group_id, peer_id
            """,
            connection);
        if (group is { } one)
        {
            command.Add(one);
        }

        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var additions = new List<PeerAddition>();
        while (await reader.ReadAsync())
        {
            var addition = new PeerAddition(
                new PeerKey(reader.GetInt32(6), new PeerId(reader.GetInt64(0))), reader.GetGuid(1), reader.GetGuid(2),
                reader.GetBoolean(3), new PeerId(reader.GetInt64(5)));
            if (reader.GetInt32(4) != RowChecksums.Addition(addition))
            {
                throw new CorruptRowException($"table peer_addition, peer {addition.Key}: checksum");
            }

            additions.Add(addition);
        }

        return additions;
    }
}
