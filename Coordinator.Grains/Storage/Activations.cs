using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Takes peers over and back (rules 2 and 4). Invariant: state is loaded only after the epoch that it is loaded for has
/// committed.
/// </summary>
internal sealed class Activations(DatabaseConnections connections, ILogger log)
{
    private const int ReactivationTriesMax = 3;

    private readonly Lock _gate = new();
    private readonly Dictionary<PeerKey, InDoubt> _inDoubt = [];

    public Task<ActivationResult> ActivateAsync(PeerKey key, string owner, CancellationToken cancellationToken) =>
        RunAsync(key, owner, connection => TakeOverAsync(connection, key, owner), cancellationToken);

    public async Task<ActivationResult> ReactivateAsync(
        PeerKey key, long epoch, long acknowledgedWriteSeq, string owner, CancellationToken cancellationToken)
    {
        ActivationResult result = await RunAsync(
            key, owner, connection => TakeBackAsync(connection, key, epoch, acknowledgedWriteSeq, owner),
            cancellationToken);
        if (result is not ActivationResult.Unavailable)
        {
            lock (_gate)
            {
                _inDoubt.Remove(key);
            }
        }

        return result;
    }

    private async Task<ActivationResult> RunAsync(
        PeerKey key,
        string owner,
        Func<NpgsqlConnection, Task<ActivationResult>> activate,
        CancellationToken cancellationToken)
    {
        try
        {
            ActivationResult result = await connections.UseAsync(activate, cancellationToken);
            if (result is ActivationResult.Activated { Peer: var peer })
            {
                StorageLog.Activated(log, key, peer.Epoch, owner, peer.HardState.Term.Value, peer.Entries.Count);
            }
            else
            {
                StorageLog.NotActivated(log, key, result);
            }

            return result;
        }
        catch (Exception e) when (DatabaseConnections.IsFault(e))
        {
            StorageLog.ActivationUnavailable(log, key, e.Message);
            return new ActivationResult.Unavailable(e);
        }
    }

    private static async Task<ActivationResult> TakeOverAsync(NpgsqlConnection connection, PeerKey key, string owner)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE coordinator.peer SET epoch = epoch + 1, owner = $3, activation = $4
            WHERE group_id = $1 AND peer_id = $2
            RETURNING epoch
            """,
            connection);
        command.Add(key.Group).Add(key.Peer.Value).Add(owner).Add(Guid.NewGuid());
        return await command.ExecuteScalarAsync() is long epoch
            ? await PeerLoader.LoadAsync(connection, key, epoch)
            : new ActivationResult.Missing();
    }

    private async Task<ActivationResult> TakeBackAsync(
        NpgsqlConnection connection, PeerKey key, long epoch, long acknowledgedWriteSeq, string owner)
    {
        for (int tries = 0; tries < ReactivationTriesMax; tries++)
        {
            (Guid mine, Guid[] earlier) = Begin(key, epoch);
            if (await TryTakeBackAsync(connection, key, epoch, acknowledgedWriteSeq, owner, mine, earlier) is { } taken)
            {
                return await PeerLoader.LoadAsync(connection, key, taken);
            }

            if (await WhyNotAsync(connection, key, epoch, acknowledgedWriteSeq) is { } reason)
            {
                return reason;
            }
        }

        return new ActivationResult.Superseded(epoch);
    }

    // The row lock puts this after a write in doubt; a write that has not begun meets another epoch (rule 4). A try
    // of this very activation whose answer was lost is known by its mark: nobody else has taken over then.
    private static async Task<long?> TryTakeBackAsync(
        NpgsqlConnection connection, PeerKey key, long epoch, long acknowledgedWriteSeq, string owner, Guid mine,
        Guid[] earlier)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE coordinator.peer SET epoch = epoch + 1, owner = $5, activation = $6
            WHERE group_id = $1 AND peer_id = $2
              AND (epoch = $3 OR activation = ANY ($7)) AND epoch >= $3 AND write_seq >= $4
            RETURNING epoch
            """,
            connection);
        command.Add(key.Group).Add(key.Peer.Value).Add(epoch).Add(acknowledgedWriteSeq).Add(owner)
            .Add(mine).Add(earlier);
        return await command.ExecuteScalarAsync() as long?;
    }

    private static async Task<ActivationResult?> WhyNotAsync(
        NpgsqlConnection connection, PeerKey key, long epoch, long acknowledgedWriteSeq)
    {
        await using var command = new NpgsqlCommand(
            "SELECT epoch, write_seq FROM coordinator.peer WHERE group_id = $1 AND peer_id = $2", connection);
        command.Add(key.Group).Add(key.Peer.Value);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
        {
            return new ActivationResult.Missing();
        }

        long storedEpoch = reader.GetInt64(0);
        long storedWriteSeq = reader.GetInt64(1);
        if (storedEpoch < epoch || storedWriteSeq < acknowledgedWriteSeq)
        {
            return new ActivationResult.WentBack(
                $"epoch {storedEpoch} and write_seq {storedWriteSeq} are stored, "
                + $"{epoch} and {acknowledgedWriteSeq} were acknowledged");
        }

        return storedEpoch > epoch ? new ActivationResult.Superseded(storedEpoch) : null;
    }

    private (Guid Mine, Guid[] Earlier) Begin(PeerKey key, long epoch)
    {
        lock (_gate)
        {
            if (!_inDoubt.TryGetValue(key, out InDoubt? doubt) || doubt.Epoch != epoch)
            {
                _inDoubt[key] = doubt = new InDoubt(epoch, []);
            }

            Guid[] earlier = [.. doubt.Tries];
            var mine = Guid.NewGuid();
            doubt.Tries.Add(mine);
            return (mine, earlier);
        }
    }

    /// <summary>Re-activations from one epoch that were sent and not answered.</summary>
    private sealed record InDoubt(long Epoch, List<Guid> Tries);
}
