using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Client;
using Coordinator.Simulation.Linearizability;
using Coordinator.Tests.Linearizability;
using Xunit.Abstractions;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// Many workers, few names, and the leader killed again and again: no update of a guarded counter is lost, what the
/// workers saw is linearizable, everyone is served, and nothing is held at the end. COORDINATOR_LOCK_RUN_SECONDS sets how
/// long (scripts/lock-run does).
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class LockRunTests(ITestOutputHelper output)
{
    private const int Clients = 10;
    private const int WorkersPerClient = 20;
    private const int Names = 20;
    private static readonly TimeSpan KillInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(60);

    private readonly OperationRecorder<LockInput, LockOutput> _recorder = new(TimeProvider.System);
    private readonly FencedResource[] _resources =
        [.. Enumerable.Range(0, Names).Select(name => new FencedResource($"run/{name}"))];

    private readonly long[] _grants = new long[Clients * WorkersPerClient];
    private long _notAcquired;

    [Fact]
    public async Task Workers_of_a_leader_that_is_killed_every_five_seconds_lose_no_update_and_leave_nothing_held()
    {
        TimeSpan length = TimeSpan.FromSeconds(RunSize.Of("COORDINATOR_LOCK_RUN_SECONDS", 12));
        int seed = Random.Shared.Next();
        using SiloHome home = new();
        CoordinatorClient[] clients = [.. Enumerable.Range(0, Clients).Select(_ => NewClient(home))];
        SiloProcess silo = SiloProcess.Start(home);
        try
        {
            await silo.ReadyAsync();
            using var stopping = new CancellationTokenSource();
            Task[] workers = [.. Enumerable.Range(0, Clients * WorkersPerClient).Select(worker => Task.Run(
                () => WorkAsync(clients[worker / WorkersPerClient], worker, new Random(seed + worker), stopping.Token)))];
            int kills = 0;
            for (long startedAt = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(startedAt) < length; kills++)
            {
                await Task.Delay(KillInterval);
                await silo.KillAsync();
                await silo.DisposeAsync();
                silo = SiloProcess.Start(home);
                await silo.ReadyAsync();
            }
            await stopping.CancelAsync();
            await Task.WhenAll(workers).WaitAsync(HangAfter);
            await AssertNothingIsHeldAsync(home.Address, clients);
            Report(length, kills, seed);
            await silo.StopAsync();
        }
        finally
        {
            await silo.DisposeAsync();
        }
    }

    private static CoordinatorClient NewClient(SiloHome home) => new(new CoordinatorClientOptions
    {
        Endpoints = [home.Address.ToString()],
        RequestTimeout = HangAfter,
    });

    private async Task WorkAsync(CoordinatorClient client, int worker, Random random, CancellationToken stopping)
    {
        var locks = new RecordedLocks(_recorder);
        while (!stopping.IsCancellationRequested)
        {
            FencedResource resource = _resources[random.Next(Names)];
            TimeSpan wait = random.Next(4) switch
            {
                0 => TimeSpan.Zero,
                1 => Timeout.InfiniteTimeSpan,
                _ => TimeSpan.FromMilliseconds(random.Next(1, 5_000)),
            };
            TimeSpan patience = random.Next(16) == 0 ? TimeSpan.FromMilliseconds(random.Next(50)) : HangAfter;
            RecordedHolding? held = await locks.AcquireAsync(client, worker, resource.Name, wait, patience);
            if (held is null)
            {
                Interlocked.Increment(ref _notAcquired);
                await Task.Delay(random.Next(20), CancellationToken.None);
                continue;
            }
            _grants[worker]++;
            if (resource.Read(held.Token) is { } value)
            {
                await Task.Delay(random.Next(4), CancellationToken.None);
                resource.Write(held.Token, value + 1);
            }
            await held.ReleaseAsync();
        }
    }

    private static async Task AssertNothingIsHeldAsync(Uri silo, CoordinatorClient[] clients)
    {
        using var http = new HttpClient { BaseAddress = silo };
        Assert.Empty((await http.GetFromJsonAsync<JsonElement>("/v1/locks")).GetProperty("locks").EnumerateArray());
        foreach (CoordinatorClient client in clients)
            await client.DisposeAsync();
        Assert.Empty((await http.GetFromJsonAsync<JsonElement>("/v1/sessions")).GetProperty("sessions").EnumerateArray());
    }

    private void Report(TimeSpan length, int kills, int seed)
    {
        CheckResult locks = HistoryAssert.IsLinearizable(new LockModel(), _recorder);
        output.WriteLine(
            $"{Clients * WorkersPerClient} workers, {Names} names, {length.TotalSeconds:F0} s, {kills} kills (seed {seed}): "
            + $"{_grants.Sum()} grants, {_resources.Sum(resource => resource.Updates)} updates, 0 lost, "
            + $"{_resources.Sum(resource => resource.Refused)} refused by the fence, {_notAcquired} not acquired. {locks}.");
        Assert.Empty(_resources.SelectMany(resource => resource.Violations));
        Assert.Equal(Names, locks.Partitions.Count);
        Assert.DoesNotContain(0, _grants);
    }
}
