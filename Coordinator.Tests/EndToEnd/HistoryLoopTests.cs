using Coordinator.Client;
using Coordinator.Simulation.Linearizability;
using Coordinator.Tests.Linearizability;
using Xunit.Abstractions;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// SIGKILL in a loop, while clients take locks and change settings: what they saw is linearizable. COORDINATOR_KILLS sets
/// the number of kills (scripts/kill-loop does).
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class HistoryLoopTests(ITestOutputHelper output)
{
    private const int Writers = 6;
    private const int Lockers = 4;
    private const int Names = 2;
    private static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(60);

    private readonly OperationRecorder<ConfigInput, ConfigOutput> _settings = new(TimeProvider.System);
    private readonly OperationRecorder<LockInput, LockOutput> _locks = new(TimeProvider.System);
    private readonly long[] _progress = new long[Writers + Lockers];

    [Fact]
    public async Task What_clients_saw_of_a_silo_that_is_killed_again_and_again_is_linearizable()
    {
        int kills = RunSize.Of("COORDINATOR_KILLS", 3);
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        using SiloHome home = new();
        using var stopping = new CancellationTokenSource();
        SiloProcess silo = SiloProcess.Start(home);
        try
        {
            await silo.ReadyAsync();
            await using CoordinatorClient client = NewClient(home);
            Task[] workers = StartWorkers(home, client, seed, stopping.Token);
            for (int kill = 1; kill <= kills; kill++)
            {
                await ProgressAsync(workers, $"before kill {kill}");
                await Task.Delay(random.Next(300));
                await silo.KillAsync();
                await silo.DisposeAsync();
                silo = SiloProcess.Start(home);
                await silo.ReadyAsync();
            }
            await ProgressAsync(workers, "after the last kill");
            await stopping.CancelAsync();
            await Task.WhenAll(workers).WaitAsync(HangAfter);
        }
        finally
        {
            await silo.DisposeAsync();
        }
        CheckResult settings = HistoryAssert.IsLinearizable(new ConfigModel(), _settings);
        CheckResult locks = HistoryAssert.IsLinearizable(new LockModel(), _locks);
        output.WriteLine($"{kills} kills (seed {seed}). Settings: {settings}. Locks: {locks}.");
        Assert.Equal(Names, settings.Partitions.Count);
        Assert.Equal(Names, locks.Partitions.Count);
    }

    private static CoordinatorClient NewClient(SiloHome home) => new(new CoordinatorClientOptions
    {
        Endpoints = [home.Address.ToString()],
        RequestTimeout = HangAfter,
        // Longer than any kill takes: a lock changes hands only when it is given back, or its client ends.
        SessionTtl = HangAfter,
    });

    private Task[] StartWorkers(SiloHome home, CoordinatorClient client, int seed, CancellationToken stopping)
    {
        var settings = new RecordedSettings(client.Configuration, _settings);
        var locks = new RecordedLocks(_locks);
        return
        [
            .. Enumerable.Range(0, Writers).Select(worker =>
                Task.Run(() => ChangeAsync(settings, worker, new Random(seed + worker), stopping))),
            .. Enumerable.Range(Writers, Lockers).Select(worker =>
                Task.Run(() => LockAsync(home, locks, worker, new Random(seed + worker), stopping))),
        ];
    }

    private async Task ChangeAsync(RecordedSettings settings, int worker, Random random, CancellationToken stopping)
    {
        for (long count = 1; !stopping.IsCancellationRequested; count++)
        {
            string key = $"history/{random.Next(Names)}";
            await (random.Next(10) switch
            {
                0 => settings.DeleteAsync(worker, key),
                < 5 => settings.PutAsync(worker, key, $"{worker}.{count}"),
                _ => settings.GetAsync(worker, key),
            });
            Interlocked.Increment(ref _progress[worker]);
            await Task.Delay(random.Next(8), CancellationToken.None);
        }
    }

    private async Task LockAsync(SiloHome home, RecordedLocks locks, int worker, Random random, CancellationToken stopping)
    {
        CoordinatorClient client = NewClient(home);
        while (!stopping.IsCancellationRequested)
        {
            TimeSpan wait = random.Next(3) == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(random.Next(1, 3_000));
            TimeSpan patience = random.Next(8) == 0 ? TimeSpan.FromMilliseconds(random.Next(10)) : HangAfter;
            RecordedHolding? held = await locks.AcquireAsync(client, worker, $"history/{random.Next(Names)}", wait, patience);
            await Task.Delay(random.Next(8), CancellationToken.None);
            if (held is not null && random.Next(50) == 0)
            {
                held.Abandon();
                await client.DisposeAsync();
                client = NewClient(home);
            }
            else if (held is not null)
            {
                await held.ReleaseAsync();
            }
            Interlocked.Increment(ref _progress[worker]);
        }
        await client.DisposeAsync();
    }

    /// <summary>Every worker has ended some more operations: the silo serves all of them again.</summary>
    private async Task ProgressAsync(Task[] workers, string when)
    {
        const int Operations = 10;
        long[] before = [.. _progress.Select((_, worker) => Interlocked.Read(ref _progress[worker]))];
        using var hangs = new CancellationTokenSource(HangAfter);
        while (before.Where((count, worker) => Interlocked.Read(ref _progress[worker]) < count + Operations).Any())
        {
            if (workers.FirstOrDefault(worker => worker.IsFaulted) is { } faulted)
                await faulted;
            Assert.False(hangs.IsCancellationRequested, $"A worker hangs {when}.");
            await Task.Delay(10, CancellationToken.None);
        }
    }
}
