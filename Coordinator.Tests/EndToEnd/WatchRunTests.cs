using System.Diagnostics;
using System.Net.Http.Json;
using Coordinator.Client;
using Xunit.Abstractions;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// Many watchers on one prefix, many changes, the leader moved on every two seconds and the silo killed halfway: each
/// watcher is told of each revision once, whole and in order. COORDINATOR_WATCH_RUN_CHANGES sets how many changes
/// (scripts/watch-run does).
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class WatchRunTests(ITestOutputHelper output)
{
    private const string Prefix = "run/";
    private const int Clients = 5;
    private const int WatchersPerClient = 10;
    private const int Changers = 16;
    private const int Keys = 200;
    private static readonly TimeSpan MoveInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(120);

    private readonly long[] _told = new long[Clients * WatchersPerClient];
    private long _begun;
    private long _acknowledged;
    private long _firstRevision;
    private long _lastRevision;

    [Fact]
    public async Task Watchers_are_told_of_each_revision_once_and_in_order_while_the_leader_changes()
    {
        int changes = RunSize.Of("COORDINATOR_WATCH_RUN_CHANGES", 3000);
        int seed = Random.Shared.Next();
        using SiloHome home = new();
        CoordinatorClient[] clients = [.. Enumerable.Range(0, Clients + 1).Select(_ => NewClient(home))];
        SiloProcess silo = SiloProcess.Start(home);
        try
        {
            await silo.ReadyAsync();
            using var watching = new CancellationTokenSource();
            Task<List<string>>[] watchers = [.. Enumerable.Range(0, Clients * WatchersPerClient).Select(watcher =>
                Task.Run(() => WatchAsync(clients[watcher % Clients], watcher, watching.Token)))];
            await UntilAsync(() => Interlocked.Read(ref _begun) == watchers.Length, watchers);

            using var moving = new CancellationTokenSource();
            Task<int> mover = MoveLeaderAsync(home.Address, moving.Token);
            long startedAt = Stopwatch.GetTimestamp();
            await ChangeAsync(clients[^1], changes / 2, seed);
            await silo.KillAsync();
            await silo.DisposeAsync();
            silo = SiloProcess.Start(home);
            await ChangeAsync(clients[^1], changes - (changes / 2), seed + 1);
            TimeSpan took = Stopwatch.GetElapsedTime(startedAt);
            await moving.CancelAsync();
            int moves = await mover;
            await UntilAsync(() => Array.TrueForAll(_told, told => told >= _lastRevision), watchers);
            await watching.CancelAsync();

            List<string> history = await ReplayAsync(clients[^1]);
            foreach (Task<List<string>> watcher in watchers)
                Assert.Equal(history, await watcher);
            Assert.True(history.Count >= _acknowledged, $"{_acknowledged} changes were acknowledged, {history.Count} are there.");
            output.WriteLine(
                $"{watchers.Length} watchers, {_acknowledged} changes in {history.Count} revisions, {moves} changes of leader, "
                + $"1 kill, {took.TotalSeconds:F0} s (seed {seed}): each was told of each once, in order.");
            await silo.StopAsync();
        }
        finally
        {
            foreach (CoordinatorClient client in clients)
                await client.DisposeAsync();
            await silo.DisposeAsync();
        }
    }

    private static CoordinatorClient NewClient(SiloHome home) => new(new CoordinatorClientOptions
    {
        Endpoints = [home.Address.ToString()],
        RequestTimeout = HangAfter,
    });

    private async Task<List<string>> WatchAsync(CoordinatorClient client, int watcher, CancellationToken stopping)
    {
        List<string> told = [];
        try
        {
            await foreach (ConfigUpdate update in client.Configuration.WatchPrefixAsync(
                Prefix, new WatchOptions { ReportProgress = true, WithPrevious = true }, stopping))
            {
                if (Interlocked.Read(ref _told[watcher]) == 0)
                {
                    Interlocked.Exchange(ref _firstRevision, update.Revision + 1);
                    Interlocked.Increment(ref _begun);
                }
                if (update.Changes.Count > 0)
                    told.Add(Describe(update));
                Interlocked.Exchange(ref _told[watcher], update.Revision);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // All has been told.
        }
        return told;
    }

    /// <summary>The truth: what the history holds, told to one who comes late.</summary>
    private async Task<List<string>> ReplayAsync(CoordinatorClient client)
    {
        List<string> history = [];
        // Nothing changed before all had begun, so all began at the same revision.
        long last = (await client.Configuration.SnapshotAsync(Prefix)).NextRevision - 1;
        await foreach (ConfigUpdate update in client.Configuration.WatchPrefixAsync(
            Prefix, new WatchOptions { FromRevision = _firstRevision, WithPrevious = true, ReportProgress = true }))
        {
            if (update.Changes.Count > 0)
                history.Add(Describe(update));
            if (update.Revision >= last)
                break;
        }
        return history;
    }

    private async Task ChangeAsync(CoordinatorClient client, int changes, int seed)
    {
        int left = changes;
        await Task.WhenAll(Enumerable.Range(0, Changers).Select(changer => Task.Run(async () =>
        {
            var random = new Random(unchecked((seed * Changers) + changer));
            while (Interlocked.Decrement(ref left) >= 0)
            {
                long revision = await ChangeAsync(client, random, $"{changer}.{left}");
                if (revision == 0)
                    continue;
                lock (_told)
                {
                    _acknowledged++;
                    _lastRevision = Math.Max(_lastRevision, revision);
                }
            }
        }))).WaitAsync(HangAfter * 5);
    }

    /// <returns>The revision that it made; 0: none, or unknown.</returns>
    private static async Task<long> ChangeAsync(CoordinatorClient client, Random random, string value)
    {
        string key = $"{Prefix}{random.Next(Keys)}";
        try
        {
            switch (random.Next(10))
            {
                case 0:
                    await client.Configuration.DeleteAsync(key);
                    return 0;
                case 1:
                    return (await client.Configuration.Transaction()
                        .Then(Step.Put(key, value), Step.Put($"{Prefix}{Keys + random.Next(Keys)}", value))
                        .ExecuteAsync()).Revision;
                default:
                    return (await client.Configuration.PutAsync(key, value)).Revision;
            }
        }
        catch (CoordinatorOutcomeUnknownException)
        {
            return 0;
        }
    }

    private static async Task<int> MoveLeaderAsync(Uri silo, CancellationToken stopping)
    {
        using var http = new HttpClient { BaseAddress = silo };
        int moves = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(MoveInterval, stopping);
                using HttpResponseMessage moved = await http.PostAsJsonAsync(
                    "/v1/groups/0/transfer-leadership", new { }, CancellationToken.None);
                moves += moved.IsSuccessStatusCode ? 1 : 0;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // The silo is being killed, or the run is over.
            }
        }
        return moves;
    }

    private static async Task UntilAsync(Func<bool> condition, Task[] watchers)
    {
        using var hangs = new CancellationTokenSource(HangAfter);
        while (!condition())
        {
            if (watchers.FirstOrDefault(watcher => watcher.IsFaulted) is { } faulted)
                await faulted;
            Assert.False(hangs.IsCancellationRequested, "A watcher hangs.");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    private static string Describe(ConfigUpdate update) => $"{update.Revision}: " + string.Join(", ", update.Changes.Select(change =>
        $"{change.Key} {change.Kind} v{change.Entry?.Version} {change.Entry?.GetString()} after {change.Previous?.GetString()}"));
}
