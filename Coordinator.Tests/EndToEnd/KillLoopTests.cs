using System.Diagnostics;
using Coordinator.Client;
using Xunit.Abstractions;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// SIGKILL in a loop, under load from the client: what was acknowledged is there, tokens only grow, nobody hangs.
/// COORDINATOR_KILLS sets the number of kills (scripts/kill-loop does).
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class KillLoopTests(ITestOutputHelper output)
{
    private const int Writers = 4;
    private const int Lockers = 6;
    private const int Locks = 2;
    private static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(60);

    private readonly FencedLedger _ledger = new();
    private readonly long[] _progress = new long[Writers + Lockers];

    [Fact]
    public async Task Killed_under_load_again_and_again_it_loses_nothing_and_repeats_no_token()
    {
        int kills = RunSize.Of("COORDINATOR_KILLS", 10);
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        using SiloHome home = new();
        await using var client = new CoordinatorClient(new CoordinatorClientOptions
        {
            Endpoints = [home.Address.ToString()],
            RequestTimeout = HangAfter,
        });
        using var stopping = new CancellationTokenSource();
        SiloProcess silo = SiloProcess.Start(home);
        try
        {
            await silo.ReadyAsync();
            Task[] workers = StartWorkers(client, stopping.Token);
            long startedAt = Stopwatch.GetTimestamp();
            for (int kill = 1; kill <= kills; kill++)
            {
                await ProgressAsync(workers, $"before kill {kill}");
                await Task.Delay(random.Next(300));
                await silo.KillAsync();
                await silo.DisposeAsync();
                silo = SiloProcess.Start(home);
                await silo.ReadyAsync();
                await _ledger.CheckAsync(client);
            }
            await ProgressAsync(workers, "after the last kill");
            await stopping.CancelAsync();
            await Task.WhenAll(workers).WaitAsync(HangAfter);
            await _ledger.CheckAsync(client);
            output.WriteLine(
                $"{kills} kills in {Stopwatch.GetElapsedTime(startedAt).TotalSeconds:F0} s (seed {seed}): "
                + $"{_ledger.Writes} writes acknowledged, {_ledger.Grants} grants, {_ledger.Uncertain} uncertain; "
                + $"{_ledger.Violations.Count} violations, 0 hangs");
            Assert.Empty(_ledger.Violations);
            await silo.StopAsync();
        }
        finally
        {
            await silo.DisposeAsync();
        }
    }

    private Task[] StartWorkers(CoordinatorClient client, CancellationToken stopping) =>
    [
        .. Enumerable.Range(0, Writers).Select(worker => Task.Run(() => WriteAsync(client, worker, stopping))),
        .. Enumerable.Range(0, Lockers).Select(worker => Task.Run(() => LockAsync(client, worker, stopping))),
    ];

    private async Task WriteAsync(CoordinatorClient client, int worker, CancellationToken stopping)
    {
        string key = $"kill/{worker}";
        for (long value = 1; !stopping.IsCancellationRequested; value++)
        {
            if (await _ledger.WriteAsync(client, key, value))
                Interlocked.Increment(ref _progress[worker]);
        }
    }

    private async Task LockAsync(CoordinatorClient client, int worker, CancellationToken stopping)
    {
        string name = $"kill/lock/{worker % Locks}";
        while (!stopping.IsCancellationRequested)
        {
            await using LockHandle handle =
                await client.Locks.AcquireAsync(name, Timeout.InfiniteTimeSpan, CancellationToken.None);
            _ledger.Grant(name, handle.FencingToken);
            Interlocked.Increment(ref _progress[Writers + worker]);
        }
    }

    /// <summary>Every worker has ended one more operation: the silo serves all of them again.</summary>
    private async Task ProgressAsync(Task[] workers, string when)
    {
        long[] before = [.. _progress.Select((_, worker) => Interlocked.Read(ref _progress[worker]))];
        long startedAt = Stopwatch.GetTimestamp();
        while (before.Where((count, worker) => Interlocked.Read(ref _progress[worker]) == count).Any())
        {
            if (workers.FirstOrDefault(worker => worker.IsFaulted) is { } faulted)
                await faulted;
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < HangAfter, $"A worker hangs {when}.");
            await Task.Delay(10);
        }
    }
}
