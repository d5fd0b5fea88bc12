using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Checks a database at start and then periodically (rule 7). Invariant: from a check that refuses the server to the
/// one that finds it in order, nobody gets a connection.
/// </summary>
internal sealed class HealthMonitor : IAsyncDisposable
{
    private readonly DatabaseConnections _connections;
    private readonly PeerDatabaseOptions _options;
    private readonly Action<DatabaseHealth> _changed;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loop;
    private volatile DatabaseHealth _health;

    public HealthMonitor(
        DatabaseConnections connections, PeerDatabaseOptions options, Action<DatabaseHealth> changed, ILogger log)
    {
        _connections = connections;
        _options = options;
        _changed = changed;
        _log = log;
        _health = new DatabaseHealth(connections.Time.GetUtcNow(), true, [], null, false);
        _loop = Task.Run(RunAsync);
    }

    public DatabaseHealth Health => _health;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        // The first one at once: opening has looked at the settings already, but not at old snapshots.
        using var timer = new PeriodicTimer(_options.CheckInterval, _connections.Time);
        try
        {
            do
            {
                Apply(await CheckAsync());
            }
            while (await timer.WaitForNextTickAsync(_stopping.Token));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private async Task<DatabaseHealth> CheckAsync()
    {
        try
        {
            await using NpgsqlConnection connection = await _connections.OpenForCheckAsync(_stopping.Token);
            return await Watchdog.RunAsync(
                connection, () => ReadAsync(connection), _connections.CommandTimeout, _connections.Time,
                _stopping.Token);
        }
        catch (DatabaseRefusedException e)
        {
            return _health with { CheckedAt = _connections.Time.GetUtcNow(), Available = true, Refusals = [e.Message] };
        }
        catch (Exception e) when (DatabaseConnections.IsFault(e))
        {
            // What was last found wrong stays wrong until an answer says otherwise.
            StorageLog.CheckUnavailable(_log, e.Message);
            return _health with { Available = false };
        }
    }

    private async Task<DatabaseHealth> ReadAsync(NpgsqlConnection connection)
    {
        ServerSettings settings = await ServerSettings.ReadAsync(connection);
        await using var command = new NpgsqlCommand(
            """
            SELECT max(extract(epoch FROM clock_timestamp() - since))::float8 FROM (
                SELECT xact_start AS since FROM pg_stat_activity
                WHERE datname = current_database() AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
                  AND backend_type = 'client backend'
                UNION ALL
                SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
            ) AS snapshots
            """,
            connection);
        long system = (await ServerHistory.ReadMomentAsync(connection)).System;
        TimeSpan? oldest = await command.ExecuteScalarAsync() is double seconds ? TimeSpan.FromSeconds(seconds) : null;
        return new DatabaseHealth(
            _connections.Time.GetUtcNow(), true, settings.Refusals(), oldest, oldest > _options.SnapshotAgeAlarm)
        {
            System = system,
        };
    }

    private void Apply(DatabaseHealth found)
    {
        DatabaseHealth before = _health;
        _health = found;
        _connections.Refusals = found.Refusals;
        bool refusalsDiffer = !found.Refusals.SequenceEqual(before.Refusals);
        if (refusalsDiffer && found.Refusals.Count > 0)
        {
            StorageLog.ServerRefused(_log, string.Join("; ", found.Refusals));
        }
        else if (refusalsDiffer)
        {
            StorageLog.ServerAccepted(_log);
        }

        if (found.SnapshotAlarm && !before.SnapshotAlarm)
        {
            StorageLog.OldSnapshot(_log, found.OldestSnapshotAge!.Value, _options.SnapshotAgeAlarm);
        }

        if (refusalsDiffer || found.SnapshotAlarm != before.SnapshotAlarm || found.Available != before.Available
            || found.System != before.System)
        {
            _changed(found);
        }
    }
}
