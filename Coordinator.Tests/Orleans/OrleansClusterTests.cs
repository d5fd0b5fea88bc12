using System.Diagnostics;
using System.Globalization;
using Coordinator.Client;
using Coordinator.Tests.EndToEnd;
using Coordinator.Tests.Postgres;
using Npgsql;
using Xunit.Abstractions;

namespace Coordinator.Tests.Orleans;

/// <summary>Three silo processes with the Orleans host, over one server; each test leaves them running.</summary>
[Collection(SiloProcesses.Name)]
public sealed class OrleansClusterTests(OrleansCluster cluster, ITestOutputHelper output) : IClassFixture<OrleansCluster>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

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
    public async Task A_leader_whose_silo_is_killed_or_stands_still_costs_no_acknowledged_write_and_no_lock_is_held_twice(bool standsStill)
    {
        int kills = RunSize.Of("COORDINATOR_ORLEANS_KILLS", 1);
        string entry = $"entered/{standsStill}";
        await using CoordinatorClient client = cluster.Client();
        using var stopping = new CancellationTokenSource();
        long acknowledged = 0;
        Task writing = Task.Run(async () =>
        {
            for (long number = 1; !stopping.IsCancellationRequested; number++)
            {
                await client.Configuration.PutAsync("counted", $"{number}");
                Interlocked.Exchange(ref acknowledged, number);
            }
        });
        Task<long>[] locking = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() => LockAsync(entry, stopping.Token)))];
        for (int kill = 0; kill < kills; kill++)
        {
            int leader = await cluster.LeadersSiloAsync();
            await UntilWrittenAsync(50);
            long struckAt = Stopwatch.GetTimestamp();
            if (standsStill)
                cluster.Silo(leader).Signal(UnixSignal.Stop);
            else
                await cluster.Silo(leader).KillAsync();
            await UntilWrittenAsync(50);
            TimeSpan written = Stopwatch.GetElapsedTime(struckAt);
            // The two that are left have all three peers, until the third is back.
            await cluster.UntilElsewhereAsync(leader);
            TimeSpan whole = Stopwatch.GetElapsedTime(struckAt);
            await cluster.BringBackAsync(leader);
            output.WriteLine(
                $"{kill}: silo {leader}, 50 writes later after {written.TotalSeconds:F1} s, at full strength after "
                + $"{whole.TotalSeconds:F1} s; {Interlocked.Read(ref acknowledged)} writes");
        }
        await stopping.CancelAsync();
        await writing.WaitAsync(Patience);
        long[] entered = await Task.WhenAll(locking).WaitAsync(Patience);
        Assert.Equal(
            $"{Interlocked.Read(ref acknowledged)}", (await client.Configuration.GetAsync("counted"))?.GetString());
        Assert.Equal($"{entered.Sum()}", (await client.Configuration.GetAsync(entry))?.GetString());

        async Task UntilWrittenAsync(long more)
        {
            long from = Interlocked.Read(ref acknowledged);
            await RunningCluster.UntilAsync(
                () => Task.FromResult(writing.IsFaulted || Interlocked.Read(ref acknowledged) >= from + more), "writes go on");
            Assert.False(writing.IsFaulted, $"{writing.Exception}");
        }
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

    /// <summary>Reads, and adds one: correct only if nobody else does meanwhile.</summary>
    private async Task<long> LockAsync(string entry, CancellationToken stopping)
    {
        await using CoordinatorClient client = cluster.Client();
        long count = 0;
        while (!stopping.IsCancellationRequested)
        {
            await using LockHandle held = await client.Locks.AcquireAsync(entry, Timeout.InfiniteTimeSpan, CancellationToken.None);
            string? entered = (await client.Configuration.GetAsync(entry, cancellationToken: CancellationToken.None))?.GetString();
            if (held.LostToken.IsCancellationRequested)
                continue;
            await client.Configuration.PutAsync(
                entry, $"{long.Parse(entered ?? "0", CultureInfo.InvariantCulture) + 1}", cancellationToken: CancellationToken.None);
            count++;
        }
        return count;
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
