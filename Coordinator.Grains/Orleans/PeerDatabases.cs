using Coordinator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The databases of the peers, as this silo reaches them: by name, opened at the first need, and waited for as long as it
/// takes. Thread-safe. Invariants: one <see cref="PeerDatabase"/> for each, of all groups, since it is what gathers writes;
/// and however many peers wait for one that is away, it is tried once at a time, and nobody waits for another's.
/// </summary>
internal sealed class PeerDatabases(
    OrleansGroupOptions options, PeerPlaces places, TimeProvider time, ILoggerFactory logs, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<string, Task<PeerDatabase>> _open = [];

    /// <summary>Null: it is not open yet.</summary>
    public PeerDatabase? Find(string place)
    {
        lock (_gate)
            return _open.GetValueOrDefault(NameOf(place)) is { IsCompletedSuccessfully: true } opened ? opened.Result : null;
    }

    /// <summary>Until it is open.</summary>
    public Task<PeerDatabase> OpenAsync(string place, CancellationToken cancellationToken)
    {
        string name = NameOf(place);
        lock (_gate)
        {
            if (!_open.TryGetValue(name, out Task<PeerDatabase>? opening) || opening.IsFaulted)
                _open[name] = opening = Task.Run(() => OpenAsync(place));
            return opening.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Of all together; one that was never reached is not available.</summary>
    public DatabaseHealth Health()
    {
        string[] names = places.IsShared ? [""] : [.. places.Databases];
        (string Name, DatabaseHealth? Health)[] found = [.. names.Select(name => (name, Find(name)?.Health))];
        DatabaseHealth[] known = [.. found.Select(one => one.Health).OfType<DatabaseHealth>()];
        return new DatabaseHealth(
            known.Select(health => health.CheckedAt).DefaultIfEmpty().Min(),
            found.All(one => one.Health is { Available: true }),
            [.. found.SelectMany(one => (one.Health?.Refusals ?? [])
                .Select(refusal => places.IsShared ? refusal : $"database {one.Name}: {refusal}"))],
            known.Max(health => health.OldestSnapshotAge),
            known.Any(health => health.SnapshotAlarm));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task<PeerDatabase>[] all;
        lock (_gate)
            all = [.. _open.Values];
        foreach (Task<PeerDatabase> opening in all)
        {
            await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (opening.IsCompletedSuccessfully)
                await (await opening).DisposeAsync();
        }
    }

    private string NameOf(string place) => places.IsShared ? "" : place;

    private async Task<PeerDatabase> OpenAsync(string place)
    {
        var opened = new PeerDatabaseOptions
        {
            ConnectionString = places.IsShared ? options.ConnectionString : options.Databases[place],
            OpenTimeout = TimeSpan.FromSeconds(2),
        };
        for (TimeSpan delay = RetryMin; ; delay = delay * 2 < RetryMax ? delay * 2 : RetryMax)
        {
            try
            {
                return await PeerDatabase.OpenAsync(opened, time, logs, _stopping.Token);
            }
            catch (Exception e) when (DatabaseConnections.IsFault(e))
            {
                OrleansLog.DatabaseWaits(log, place, e.Message);
            }
            await Task.Delay(delay, time, _stopping.Token);
        }
    }
}
