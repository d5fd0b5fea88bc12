using System.Diagnostics;
using Coordinator.Silo.Postgres;
using Xunit.Abstractions;

namespace Coordinator.Tests.EndToEnd.Chaos;

/// <summary>
/// Three silos, each with a PostgreSQL of its own, that are killed, cut off and paused, and their databases too, under a
/// mixed load: nothing acknowledged is lost, what clients saw is linearizable, and no update behind a fence is lost.
/// COORDINATOR_CHAOS sets how many faults (scripts/chaos does), COORDINATOR_CHAOS_SEED which.
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class ChaosRunTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Dictionary<ChaosFault, int> _done = [];
    private readonly Dictionary<string, List<double>> _gapsMs = [];

    [Fact]
    public async Task A_cluster_that_is_killed_cut_off_and_paused_loses_nothing()
    {
        int seed = RunSize.Of("COORDINATOR_CHAOS_SEED", Random.Shared.Next(1_000_000));
        Random random = new(seed);
        ChaosFault[] faults = ChaosFaults.Draw(RunSize.Of("COORDINATOR_CHAOS", 9), random);
        await using ChaosNetwork network = new();
        RunningCluster cluster = new() { LinkOf = network.LinkOf };
        network.Connect(cluster);
        try
        {
            await cluster.InitializeAsync();
            await using ChaosLoad load = new(() => cluster.Client(), seed);
            await load.StartAsync();
            long startedAt = Stopwatch.GetTimestamp();
            for (int number = 0; number < faults.Length; number++)
            {
                await load.ProgressAsync();
                await HurtAsync(cluster, network, load, faults[number], random);
                if (number % 20 == 19)
                    load.NextRound();
                if (number % 50 == 49)
                    Report(number + 1, startedAt, seed);
            }
            await cluster.AwaitAllAsync();
            Report(faults.Length, startedAt, seed);
            Say($"chaos: {await load.EndAsync()}");
        }
        finally
        {
            network.Heal();
            await cluster.DisposeAsync();
        }
    }

    private async Task HurtAsync(
        RunningCluster cluster, ChaosNetwork network, ChaosLoad load, ChaosFault fault, Random random)
    {
        int silo = random.Next(3);
        string hurt = fault is ChaosFault.EverythingKilled or ChaosFault.AllRestarted ? $"{fault}"
            : await LeaderAsync(cluster) == silo ? "the leader" : "another";
        load.Gaps.Begin();
        if (fault == ChaosFault.AllRestarted)
            await RestartAllAsync(cluster, load);
        else
            await InflictAsync(cluster, network, silo, fault, TimeSpan.FromMilliseconds(random.Next(100, 3_000)));
        await load.ProgressAsync();
        if (!_gapsMs.TryGetValue(hurt, out List<double>? gaps))
            _gapsMs[hurt] = gaps = [];
        gaps.Add(load.Gaps.Longest.TotalMilliseconds);
        _done[fault] = _done.GetValueOrDefault(fault) + 1;
        // Now and then the next fault meets a cluster that has not recovered from this one.
        if (random.Next(4) != 0)
            await cluster.AwaitAllAsync();
        foreach (int other in RunningCluster.All)
            Assert.False(cluster.Silo(other).HasExited, $"Silo {other} has ended by itself:\n{cluster.Silo(other).Output}");
    }

    /// <summary>As any silo knows it; -1: none that answers knows of one, after a fault that is still felt.</summary>
    private static async Task<int> LeaderAsync(RunningCluster cluster)
    {
        foreach (int asked in RunningCluster.All)
        {
            try
            {
                if (await cluster.TryLeaderAsync(asked) is >= 0 and int leader)
                    return leader;
            }
            catch (HttpRequestException)
            {
                // It is just starting.
            }
        }
        return -1;
    }

    private static async Task InflictAsync(
        RunningCluster cluster, ChaosNetwork network, int silo, ChaosFault fault, TimeSpan length)
    {
        switch (fault)
        {
            case ChaosFault.SiloKilled:
                await cluster.KillAsync(silo);
                await Task.Delay(length);
                await cluster.Silo(silo).DisposeAsync();
                cluster.Start(silo);
                break;
            case ChaosFault.DatabaseKilled:
                using (Postmaster postmaster = await PostmasterAsync(cluster, silo))
                    postmaster.Kill();
                await Task.Delay(length);
                break;
            case ChaosFault.CutOff or ChaosFault.SendsNothing or ChaosFault.HearsNothing:
                network.CutOff(silo, outbound: fault != ChaosFault.HearsNothing, inbound: fault != ChaosFault.SendsNothing);
                await Task.Delay(length);
                network.Heal();
                break;
            case ChaosFault.SiloPaused:
                cluster.Silo(silo).Signal(UnixSignal.Stop);
                await Task.Delay(length);
                cluster.Silo(silo).Signal(UnixSignal.Continue);
                break;
            case ChaosFault.DatabasePaused:
                using (Postmaster postmaster = await PostmasterAsync(cluster, silo))
                {
                    int[] stopped = ProcessTree.Stop(postmaster.Pid);
                    await Task.Delay(length);
                    ProcessTree.Continue(stopped);
                }
                break;
            case ChaosFault.EverythingKilled:
                await KillEverythingAsync(cluster);
                break;
            default:
                throw new InvalidOperationException($"Unknown fault {fault}.");
        }
    }

    private static async Task KillEverythingAsync(RunningCluster cluster)
    {
        Postmaster[] postmasters =
            await Task.WhenAll(RunningCluster.All.Select(silo => PostmasterAsync(cluster, silo)));
        foreach (Postmaster postmaster in postmasters)
            postmaster.Kill();
        await Task.WhenAll(RunningCluster.All.Select(cluster.KillAsync));
        foreach (int silo in RunningCluster.All)
        {
            postmasters[silo].Dispose();
            await cluster.Silo(silo).DisposeAsync();
            cluster.Start(silo);
        }
        await cluster.AwaitAllAsync();
    }

    /// <summary>From a cluster that is whole, nobody may notice anything but a short wait.</summary>
    private static async Task RestartAllAsync(RunningCluster cluster, ChaosLoad load)
    {
        await cluster.AwaitAllAsync();
        IReadOnlyList<string> before = load.Ledger.UncertainWrites;
        foreach (int silo in RunningCluster.All)
        {
            await cluster.Silo(silo).StopAsync();
            cluster.Start(silo);
            await cluster.AwaitAllAsync();
        }
        Assert.Equal(before, load.Ledger.UncertainWrites);
    }

    /// <summary>It may be starting anew after the fault before.</summary>
    private static async Task<Postmaster> PostmasterAsync(RunningCluster cluster, int silo)
    {
        for (long startedAt = Stopwatch.GetTimestamp(); ; await Task.Delay(20))
        {
            if (cluster.Home(silo).FindPostmaster() is { } found)
                return found;
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience, $"Silo {silo} has no PostgreSQL any more.");
        }
    }

    private void Report(int faults, long startedAt, int seed)
    {
        string kinds = string.Join(", ", _done.OrderBy(kind => kind.Key).Select(kind => $"{kind.Value} {kind.Key}"));
        string gaps = string.Join("; ", _gapsMs.OrderBy(hurt => hurt.Key).Select(hurt => $"{hurt.Key}: {Spread(hurt.Value)}"));
        Say(
            $"chaos: {faults} faults in {Stopwatch.GetElapsedTime(startedAt).TotalSeconds:F0} s (seed {seed}): {kinds}. "
            + $"Longest time without an acknowledged write, by who was hurt: {gaps}");
    }

    /// <summary>A run of an hour says in between how far it is, where COORDINATOR_CHAOS_LOG names a file.</summary>
    private void Say(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("COORDINATOR_CHAOS_LOG") is { Length: > 0 } log)
            File.AppendAllText(log, line + Environment.NewLine);
    }

    private static string Spread(List<double> gapsMs)
    {
        double[] sorted = [.. gapsMs.Order()];
        return $"p50 {sorted[sorted.Length / 2]:F0} ms, max {sorted[^1]:F0} ms of {sorted.Length}";
    }
}
