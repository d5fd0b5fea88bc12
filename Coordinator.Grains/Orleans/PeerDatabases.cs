using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The databases of a group's peers, as this silo reaches them: by name, opened at the first need, and waited for as long
/// as it takes. Thread-safe. Invariant: one <see cref="PeerDatabase"/> for each, since it is what gathers writes.
/// </summary>
internal sealed class PeerDatabases(
    OrleansGroupOptions options, PeerPlaces places, TimeProvider time, ILoggerFactory logs, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<string, PeerDatabase> _open = [];

    public Task<PeerDatabase> OpenAsync(PeerId peer, CancellationToken cancellationToken) =>
        OpenAsync(places.NameOf(peer), cancellationToken);

    /// <summary>Until it is open.</summary>
    public async Task<PeerDatabase> OpenAsync(string place, CancellationToken cancellationToken)
    {
        string connectionString = places.IsShared ? options.ConnectionString : options.Databases[place];
        for (TimeSpan delay = RetryMin; ; delay = delay * 2 < RetryMax ? delay * 2 : RetryMax)
        {
            try
            {
                return await OpenOnceAsync(places.IsShared ? "" : place, connectionString, cancellationToken);
            }
            catch (Exception e) when (DatabaseConnections.IsFault(e))
            {
                OrleansLog.DatabaseWaits(log, place, e.Message);
            }
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        foreach (PeerDatabase database in _open.Values)
            await database.DisposeAsync();
        _open.Clear();
    }

    private async Task<PeerDatabase> OpenOnceAsync(string name, string connectionString, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (!_open.TryGetValue(name, out PeerDatabase? database))
            {
                // A short patience: others wait for their own database behind this one.
                _open[name] = database = await PeerDatabase.OpenAsync(
                    new PeerDatabaseOptions { ConnectionString = connectionString, OpenTimeout = TimeSpan.FromSeconds(2) },
                    time, logs, cancellationToken);
            }
            return database;
        }
        finally
        {
            _turn.Release();
        }
    }
}
