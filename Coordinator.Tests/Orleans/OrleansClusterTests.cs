using System.Diagnostics;
using Coordinator.Client;
using Coordinator.Tests.EndToEnd;
using Coordinator.Tests.EndToEnd.Chaos;
using Coordinator.Tests.Postgres;
using Npgsql;
using Xunit.Abstractions;

namespace Coordinator.Tests.Orleans;

/// <summary>Three silo processes with the Orleans host, over one server; each test leaves them running.</summary>
[Collection(SiloProcesses.Name)]
public sealed class OrleansClusterTests(OrleansCluster cluster, ITestOutputHelper output) : IClassFixture<OrleansCluster>
{
    [Fact]
    public async Task Every_silo_serves_over_HTTP_and_to_native_clients_what_another_has_taken()
    {
        foreach (int silo in OrleansCluster.All)
        {
            await using CoordinatorClient writer = cluster.Client(silo);
            await writer.Configuration.PutAsync("served", $"by {silo}");
            foreach (int other in OrleansCluster.All)
            {
                Assert.Equal($"by {silo}", await cluster.GetAsync(other, "/v1/config/served"));
                await using CoordinatorClient reader = cluster.Client(other);
                Assert.Equal($"by {silo}", (await reader.Configuration.GetAsync("served"))?.GetString());
            }
        }
    }

    /// <summary>COORDINATOR_ORLEANS_KILLS sets how often.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_leader_whose_silo_is_killed_or_stands_still_costs_no_acknowledged_write_no_order_and_no_other_peer(bool standsStill)
    {
        int kills = RunSize.Of("COORDINATOR_ORLEANS_KILLS", 1);
        await using ChaosLoad load = new(() => cluster.Client(), seed: 1, space: standsStill ? "stood" : "killed");
        await load.StartAsync();
        for (int kill = 0; kill < kills; kill++)
        {
            int leader = await cluster.LeadersSiloAsync();
            await load.ProgressAsync();
            Dictionary<long, long> others = await cluster.EpochsElsewhereAsync(leader);
            load.Gaps.Begin();
            long struckAt = Stopwatch.GetTimestamp();
            if (standsStill)
                cluster.Silo(leader).Signal(UnixSignal.Stop);
            else
                await cluster.Silo(leader).KillAsync();
            // The two that are left have all three peers, until the third is back.
            await cluster.UntilElsewhereAsync(leader);
            TimeSpan whole = Stopwatch.GetElapsedTime(struckAt);
            await load.ProgressAsync();
            output.WriteLine(
                $"{kill}: silo {leader}, longest time without an acknowledged write {load.Gaps.Longest.TotalSeconds:F1} s, at full "
                + $"strength after {whole.TotalSeconds:F1} s");
            // Whoever was active elsewhere has not been activated anew.
            Dictionary<long, long> now = await cluster.EpochsElsewhereAsync(leader);
            Assert.Equal(others, now.Where(one => others.ContainsKey(one.Key)));
            await cluster.BringBackAsync(leader);
        }
        output.WriteLine(await load.EndAsync());
    }

    [Fact]
    public async Task A_silo_that_stops_in_order_hands_over_and_its_peers_go_elsewhere()
    {
        int leader = await cluster.LeadersSiloAsync();
        await using CoordinatorClient client = cluster.Client();
        await client.Configuration.PutAsync("before", "it stops");
        await cluster.Silo(leader).StopAsync();
        await client.Configuration.PutAsync("after", "it stopped");
        await cluster.UntilSpreadAsync(2);
        cluster.Start(leader);
        await cluster.UntilSpreadAsync(3);
    }
}

/// <summary>Three silos of one Orleans cluster, real processes, and the PostgreSQL server that they share.</summary>
public class OrleansCluster : IAsyncLifetime
{
    private const int Count = 3;
    private static readonly HttpClient Http = new();

    private readonly PostgresServer _server = new();
    private readonly SiloHome[] _homes = [.. Enumerable.Range(0, Count).Select(_ => new SiloHome())];
    private readonly SiloHome[] _ports = [.. Enumerable.Range(0, 2 * Count).Select(_ => new SiloHome())];
    private readonly SiloProcess?[] _silos = new SiloProcess?[Count];
    private string _database = "";

    public static IEnumerable<int> All => Enumerable.Range(0, Count);

    internal virtual int Groups => 1;

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _database = await _server.CreateDatabaseAsync();
        foreach (int silo in All)
            Start(silo);
        await UntilSpreadAsync(Count);
    }

    public async Task DisposeAsync()
    {
        foreach (SiloProcess? silo in _silos)
            await (silo?.DisposeAsync() ?? ValueTask.CompletedTask);
        foreach (SiloHome home in _homes.Concat(_ports))
            home.Dispose();
        await _server.DisposeAsync();
    }

    internal SiloProcess Silo(int silo) => _silos[silo]!;

    internal SiloProcess Start(int silo) => _silos[silo] = SiloProcess.Start(
        _homes[silo],
        new SiloStart
        {
            Environment = new()
            {
                ["ConnectionStrings__Coordinator"] = _server.ConnectionString(_database),
                ["Coordinator__Host"] = "Orleans",
                ["Coordinator__Groups"] = $"{Groups}",
                ["Coordinator__Orleans__Endpoint"] = $"127.0.0.1:{_ports[silo].Port}",
                ["Coordinator__Orleans__GatewayPort"] = $"{_ports[Count + silo].Port}",
                ["Coordinator__Orleans__SiloName"] = $"silo{silo}",
            },
        });

    internal CoordinatorClient Client(params int[] silos) => new(new CoordinatorClientOptions
    {
        Endpoints = [.. (silos.Length == 0 ? All : silos).Select(silo => _homes[silo].Address.ToString())],
        RequestTimeout = TimeSpan.FromSeconds(60),
    });

    internal Task<string> GetAsync(int silo, string path) => Http.GetStringAsync(new Uri(_homes[silo].Address, path));

    /// <summary>Until all that live are ready, and so many of them have the three peers among them.</summary>
    internal async Task UntilSpreadAsync(int silos)
    {
        await RunningCluster.UntilAsync(
            async () => await PlacedAsync() is { Count: Count } placed && placed.Values.Distinct().Count() == silos
                && placed.Values.All(port => All.Any(silo => _ports[silo].Port == port && IsUp(silo))),
            $"{silos} silos have the peers");
        foreach (int silo in All.Where(IsUp))
            await Silo(silo).ReadyAsync();
    }

    internal async Task<int> LeadersSiloAsync()
    {
        await using CoordinatorClient client = Client();
        long? leader = null;
        await RunningCluster.UntilAsync(
            async () => (leader = (await client.Cluster.DescribeAsync()).LeaderPeerId) is not null, "somebody leads");
        int port = (await PlacedAsync())[leader!.Value];
        return All.First(silo => _ports[silo].Port == port);
    }

    /// <summary>Until all peers are registered on silos that are not this one.</summary>
    internal Task UntilElsewhereAsync(int silo) => RunningCluster.UntilAsync(
        async () => await PlacedAsync() is { Count: Count } placed && placed.Values.All(port => port != _ports[silo].Port),
        $"no peer is on silo {silo}");

    /// <summary>Of the peers of the first group that are not on this silo, how often each was activated.</summary>
    internal async Task<Dictionary<long, long>> EpochsElsewhereAsync(int silo)
    {
        Dictionary<long, int> placed = await PlacedAsync();
        await using NpgsqlConnection connection = await ConnectAsync();
        await using var command = new NpgsqlCommand("SELECT peer_id, epoch FROM coordinator.peer WHERE group_id = 0", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var epochs = new Dictionary<long, long>();
        while (await reader.ReadAsync())
        {
            if (placed.TryGetValue(reader.GetInt64(0), out int port) && port != _ports[silo].Port)
                epochs[reader.GetInt64(0)] = reader.GetInt64(1);
        }
        return epochs;
    }

    /// <summary>A silo that stood still finds out that the others took it for dead, and ends; its supervisor starts it again.</summary>
    internal async Task BringBackAsync(int silo)
    {
        if (IsUp(silo))
        {
            Silo(silo).Signal(UnixSignal.Continue);
            await RunningCluster.UntilAsync(() => Task.FromResult(!IsUp(silo)), $"silo {silo} ends");
        }
        Start(silo);
        await UntilSpreadAsync(Count);
    }

    private bool IsUp(int silo) => _silos[silo] is { } process && !process.HasExited;

    /// <summary>Until the silos leave one connection: the server has 50, and of a killed one it does not know at once.</summary>
    internal async Task<NpgsqlConnection> ConnectAsync()
    {
        NpgsqlConnection? connection = null;
        await RunningCluster.UntilAsync(
            async () =>
            {
                try
                {
                    connection = await _server.ConnectAsync(_database);
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.TooManyConnections)
                {
                    return false;
                }
                return true;
            },
            "the server takes one more connection");
        return connection!;
    }

    /// <summary>The silo port of each peer of the first group that is registered.</summary>
    private async Task<Dictionary<long, int>> PlacedAsync()
    {
        await using NpgsqlConnection connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT split_part(grain, '/', 3)::bigint, split_part(split_part(silo, ':', 2), '@', 1)::integer
            FROM coordinator_orleans.activation WHERE split_part(grain, '/', 2) = '0'
            """,
            connection);
        var placed = new Dictionary<long, int>();
        try
        {
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                placed[reader.GetInt64(0)] = reader.GetInt32(1);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // The first silo is about to make it.
        }
        return placed;
    }
}
