using Coordinator.Client;
using Coordinator.Simulation.Linearizability;
using Coordinator.Tests.Linearizability;

namespace Coordinator.Tests.EndToEnd.Chaos;

/// <summary>
/// What clients do while a cluster is being hurt, and what they were told: writers whose last acknowledged value is known,
/// settings and locks whose histories are recorded, counters behind a fence, and a watcher.
/// </summary>
/// <param name="space">All names are in it: a cluster takes another load in another one.</param>
internal sealed class ChaosLoad(Func<CoordinatorClient> connect, int seed, string space = "chaos") : IAsyncDisposable
{
    private const int Writers = 3;
    private const int Changers = 3;
    private const int Lockers = 4;
    private const int Names = 2;
    private static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(120);

    private readonly OperationRecorder<ConfigInput, ConfigOutput> _settings = new(TimeProvider.System);
    private readonly OperationRecorder<LockInput, LockOutput> _locks = new(TimeProvider.System);
    private readonly string _writers = $"{space}/writer/";
    private readonly FencedResource[] _resources =
        [.. Enumerable.Range(0, Names).Select(name => new FencedResource($"{space}/lock/{name}"))];

    private readonly CoordinatorClient[] _clients = [connect(), connect(), connect()];
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _watching = new();
    private readonly long[] _written = new long[Writers];
    private readonly List<Task> _workers = [];
    private readonly List<string> _watchProblems = [];
    private Task _watcher = Task.CompletedTask;
    private int _round;
    private long _watched;

    public FencedLedger Ledger { get; } = new();

    public WriteGaps Gaps { get; } = new();

    public async Task StartAsync()
    {
        ConfigRevision before = await _clients[0].Configuration.PutAsync($"{space}/start", "");
        var settings = new RecordedSettings(_clients[1].Configuration, _settings);
        var locks = new RecordedLocks(_locks);
        for (int worker = 0; worker < Writers; worker++)
            Run(worker, (number, _) => WriteAsync(number));
        for (int worker = Writers; worker < Writers + Changers; worker++)
            Run(worker, (number, random) => ChangeAsync(settings, number, random));
        for (int worker = Writers + Changers; worker < Writers + Changers + Lockers; worker++)
            Run(worker, (number, random) => LockAsync(locks, number, random));
        _watcher = Task.Run(() => WatchAsync(before.Revision + 1));
    }

    /// <summary>From now on other settings are changed: a history with an uncertain end is not carried on for ever.</summary>
    public void NextRound() => Interlocked.Increment(ref _round);

    /// <summary>Ends when the cluster has taken some more writes.</summary>
    public async Task ProgressAsync()
    {
        foreach (Task broken in _workers.Append(_watcher).Where(worker => worker.IsFaulted))
            await broken;
        await Gaps.ProgressAsync(20, HangAfter);
    }

    /// <summary>Stops all, and checks what they were told against what is stored.</summary>
    /// <returns>A summary to be printed.</returns>
    public async Task<string> EndAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_workers).WaitAsync(HangAfter);
        await Ledger.CheckAsync(_clients[0]);
        await _watching.CancelAsync();
        await _watcher.WaitAsync(HangAfter);
        CheckResult settings = HistoryAssert.IsLinearizable(new ConfigModel(), _settings);
        CheckResult locks = HistoryAssert.IsLinearizable(new LockModel(), _locks);
        Assert.Empty(Ledger.Violations);
        Assert.Empty(_watchProblems);
        Assert.Empty(_resources.SelectMany(resource => resource.Violations));
        Assert.True(_watched > 0 && _resources.All(resource => resource.Updates > 0));
        return $"{Ledger.Writes} writes acknowledged, 0 lost, {Ledger.Uncertain} uncertain; "
            + $"{_resources.Sum(resource => resource.Updates)} fenced updates, 0 lost, "
            + $"{_resources.Sum(resource => resource.Refused)} refused by the fence; "
            + $"{_watched} changes watched in order. Settings: {settings}. Locks: {locks}.";
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching.CancelAsync();
        foreach (CoordinatorClient client in _clients)
            await client.DisposeAsync();
        _stopping.Dispose();
        _watching.Dispose();
    }

    private void Run(int worker, Func<int, Random, Task> work)
    {
        Random random = new(unchecked(seed + worker));
        _workers.Add(Task.Run(async () =>
        {
            while (!_stopping.IsCancellationRequested)
                await work(worker, random);
        }));
    }

    private async Task WriteAsync(int worker)
    {
        if (await Ledger.WriteAsync(_clients[0], $"{_writers}{worker}", ++_written[worker]))
            Gaps.Acknowledged();
    }

    private async Task ChangeAsync(RecordedSettings settings, int worker, Random random)
    {
        string key = $"{space}/setting/{Volatile.Read(ref _round)}/{random.Next(Names)}";
        await (random.Next(10) switch
        {
            0 => settings.DeleteAsync(worker, key),
            < 5 => settings.PutAsync(worker, key, $"{worker}.{random.Next()}"),
            _ => settings.GetAsync(worker, key),
        });
        await Task.Delay(random.Next(10), CancellationToken.None);
    }

    private async Task LockAsync(RecordedLocks locks, int worker, Random random)
    {
        FencedResource resource = _resources[random.Next(Names)];
        TimeSpan wait = random.Next(3) == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(random.Next(1, 5_000));
        RecordedHolding? held = await locks.AcquireAsync(
            _clients[2], worker, resource.Name, wait, random.Next(12) == 0 ? TimeSpan.FromMilliseconds(10) : HangAfter);
        if (held is not null)
        {
            if (resource.Read(held.Token) is { } value)
            {
                await Task.Delay(random.Next(4), CancellationToken.None);
                resource.Write(held.Token, value + 1);
            }
            await held.ReleaseAsync();
        }
        await Task.Delay(random.Next(10), CancellationToken.None);
    }

    /// <summary>Each version of each writer's key, once and in order, from the first one on.</summary>
    private async Task WatchAsync(long from)
    {
        Dictionary<string, long> versions = [];
        await using CoordinatorClient client = connect();
        try
        {
            await foreach (ConfigUpdate update in client.Configuration.WatchPrefixAsync(
                _writers, new WatchOptions { FromRevision = from }, _watching.Token))
            {
                foreach (ConfigChange change in update.Changes)
                {
                    long due = versions.GetValueOrDefault(change.Key) + 1;
                    if (change.Entry?.Version != due)
                        _watchProblems.Add($"{change.Key}: version {change.Entry?.Version} was told when {due} was due");
                    versions[change.Key] = due;
                    _watched++;
                }
            }
        }
        catch (OperationCanceledException) when (_watching.IsCancellationRequested)
        {
            // The end.
        }
    }
}
