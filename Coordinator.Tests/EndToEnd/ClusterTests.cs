using Coordinator.Client;
using Coordinator.Silo.Postgres;
using Npgsql;
using Xunit.Abstractions;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// One cluster of three silos, from one test to the next: each leaves it as it found it, with three peers that run.
/// </summary>
[Collection(SiloProcesses.Name)]
public sealed class ClusterTests(RunningCluster cluster, ITestOutputHelper output) : IClassFixture<RunningCluster>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Three_empty_databases_become_one_cluster_and_every_silo_serves_what_another_has_taken()
    {
        string[] clusters = await Task.WhenAll(RunningCluster.All.Select(ClusterIdAsync));
        Assert.Single(clusters.Distinct());
        foreach (int silo in RunningCluster.All)
        {
            await using CoordinatorClient writer = cluster.Client(silo);
            await writer.Configuration.PutAsync("served", $"by {silo}");
            foreach (int other in RunningCluster.All)
            {
                await using CoordinatorClient reader = cluster.Client(other);
                Assert.Equal($"by {silo}", (await reader.Configuration.GetAsync("served"))?.GetString());
            }
        }
    }

    [Fact]
    public async Task Who_waits_for_a_lock_through_one_silo_gets_it_when_it_is_released_through_another()
    {
        await using CoordinatorClient first = cluster.Client(0);
        await using CoordinatorClient second = cluster.Client(1);
        await using CoordinatorClient third = cluster.Client(2);
        LockHandle held = await first.Locks.AcquireAsync("shared/between/silos");
        Task<LockHandle> waiting = second.Locks.AcquireAsync("shared/between/silos", Timeout.InfiniteTimeSpan);
        Task<LockHandle> last = third.Locks.AcquireAsync("shared/between/silos", Timeout.InfiniteTimeSpan);
        Assert.Null(await third.Locks.TryAcquireAsync("shared/between/silos", TimeSpan.FromMilliseconds(300)));
        await held.DisposeAsync();
        Task<LockHandle> next = await Task.WhenAny(waiting, last).WaitAsync(Patience);
        LockHandle granted = await next;
        Assert.True(granted.FencingToken > held.FencingToken);
        await granted.DisposeAsync();
        await using LockHandle afterwards = await (next == waiting ? last : waiting).WaitAsync(Patience);
        Assert.True(afterwards.FencingToken > granted.FencingToken);
    }

    /// <summary>COORDINATOR_CLUSTER_KILLS sets how often.</summary>
    [Fact]
    public async Task A_leader_whose_silo_is_killed_costs_no_acknowledged_write_and_catches_up_when_it_is_back()
    {
        int kills = RunSize.Of("COORDINATOR_CLUSTER_KILLS", 1);
        await using CoordinatorClient client = cluster.Client();
        using var stopping = new CancellationTokenSource();
        FencedLedger ledger = new();
        WriteGaps gaps = new();
        Task[] workers =
        [
            .. Enumerable.Range(0, 4).Select(writer => Task.Run(() => WriteAsync(client, $"killed/{writer}", ledger, gaps, stopping.Token))),
            .. Enumerable.Range(0, 3).Select(_ => Task.Run(() => LockAsync(client, "killed/lock", ledger, stopping.Token))),
        ];
        for (int kill = 1; kill <= kills; kill++)
        {
            await gaps.ProgressAsync(100, Patience);
            int leader = await cluster.LeaderAsync();
            gaps.Begin();
            await cluster.KillAsync(leader);
            await gaps.ProgressAsync(100, Patience);
            output.WriteLine($"Kill {kill}, the leader's silo {leader}: {gaps.Longest.TotalMilliseconds:F0} ms without an acknowledged write");
            await ledger.CheckAsync(client);
            cluster.Start(leader);
            await cluster.AwaitAllAsync();
        }
        await stopping.CancelAsync();
        await Task.WhenAll(workers).WaitAsync(Patience);
        output.WriteLine($"{ledger.Writes} writes acknowledged, {ledger.Grants} grants, {ledger.Uncertain} uncertain");
        foreach (int silo in RunningCluster.All)
        {
            await using CoordinatorClient direct = cluster.Client(silo);
            await ledger.CheckAsync(direct);
        }
        Assert.Empty(ledger.Violations);
        Assert.True(ledger.Grants > 0);
    }

    [Fact]
    public async Task A_leader_that_is_told_to_stop_hands_over_first()
    {
        int leader = await cluster.LeaderAsync();
        int other = (leader + 1) % 3;
        long term = (await cluster.StatusAsync(other)).GetProperty("term").GetInt64();
        await cluster.Silo(leader).StopAsync();
        Assert.NotEqual(leader, await cluster.LeaderAsync(other));
        Assert.Equal(term + 1, (await cluster.StatusAsync(other)).GetProperty("term").GetInt64());
        cluster.Start(leader);
        await cluster.AwaitAllAsync();
    }

    [Fact]
    public async Task A_PostgreSQL_that_is_killed_costs_one_peer_for_a_while_and_the_others_go_on()
    {
        int leader = await cluster.LeaderAsync();
        await using CoordinatorClient client = cluster.Client();
        await client.Configuration.PutAsync("database", "before");
        using (Postmaster postmaster = cluster.Home(leader).FindPostmaster()!)
            postmaster.Kill();
        await client.Configuration.PutAsync("database", "after");
        await using CoordinatorClient direct = cluster.Client((leader + 1) % 3);
        Assert.Equal("after", (await direct.Configuration.GetAsync("database"))?.GetString());
        await cluster.AwaitAllAsync();
    }

    [Fact]
    public async Task Another_process_with_a_live_silos_id_is_refused_and_ends()
    {
        using SiloHome home = new();
        await using SiloProcess second = await cluster.StartAsAsync(1, home, "a secret that only this test knows");
        Assert.Equal(7, await second.ExitAsync());
        Assert.Contains("Another process is silo b", second.Output, StringComparison.Ordinal);
        await cluster.AwaitAllAsync();
    }

    private static async Task WriteAsync(
        CoordinatorClient client, string key, FencedLedger ledger, WriteGaps gaps, CancellationToken stopping)
    {
        for (long value = 1; !stopping.IsCancellationRequested; value++)
        {
            if (await ledger.WriteAsync(client, key, value))
                gaps.Acknowledged();
        }
    }

    private static async Task LockAsync(
        CoordinatorClient client, string name, FencedLedger ledger, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await using LockHandle handle =
                await client.Locks.AcquireAsync(name, Timeout.InfiniteTimeSpan, CancellationToken.None);
            ledger.Grant(name, handle.FencingToken);
        }
    }

    private async Task<string> ClusterIdAsync(int silo)
    {
        await using NpgsqlConnection connection = await cluster.Home(silo).ConnectAsync();
        await using var command = new NpgsqlCommand("SELECT cluster_id::text FROM coordinator.cluster", connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
