using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Coordinator.Client;
using Npgsql;

namespace Coordinator.Tests.EndToEnd;

/// <summary>Silos of one cluster, three at first, real processes, each with a private PostgreSQL of its own.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    private const int Count = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new();

    private readonly List<SiloHome> _homes = [.. Enumerable.Range(0, Count).Select(_ => new SiloHome())];
    private readonly List<int> _linkPorts = [.. Enumerable.Range(0, Count).Select(_ => FreePort())];
    private readonly Dictionary<int, SiloProcess> _silos = [];

    /// <summary>Where the first of two silos reaches the second one for its link; null: where that one listens.</summary>
    internal Func<int, int, Uri>? LinkOf { get; init; }

    /// <summary>What each silo is started with besides its configuration.</summary>
    internal Func<int, string[]> Args { get; set; } = _ => [];

    public string[] Urls => [.. _homes.Select(home => home.Address.ToString().TrimEnd('/'))];

    /// <summary>Those that have founded it.</summary>
    public static IEnumerable<int> All => Enumerable.Range(0, Count);

    public IEnumerable<int> Everyone => Enumerable.Range(0, _homes.Count);

    public async Task InitializeAsync()
    {
        foreach (int silo in All)
            Start(silo);
        await AwaitAllAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (SiloProcess silo in _silos.Values)
            await silo.DisposeAsync();
        foreach (SiloHome home in _homes)
            home.Dispose();
    }

    internal IPEndPoint LinkListener(int silo) => new(IPAddress.Loopback, _linkPorts[silo]);

    internal SiloProcess Silo(int silo) => _silos[silo];

    internal static string IdOf(int silo) => ((char)('a' + silo)).ToString();

    internal SiloHome Home(int silo) => _homes[silo];

    internal SiloProcess Start(int silo)
    {
        string config = Path.Combine(_homes[silo].Folder, "silo.json");
        WriteConfig(config, silo, _linkPorts[silo], "a secret that only this test knows");
        return _silos[silo] = SiloProcess.Start(_homes[silo], ["--config", config, .. Args(silo)]);
    }

    /// <summary>All silos are told of so many more, one after the other, and then those start.</summary>
    internal async Task ExtendAsync(int more)
    {
        int[] before = [.. Everyone];
        for (int i = 0; i < more; i++)
        {
            _homes.Add(new SiloHome());
            _linkPorts.Add(FreePort());
        }
        foreach (int silo in before)
        {
            await Silo(silo).StopAsync();
            await Start(silo).ReadyAsync();
        }
        foreach (int silo in Everyone.Except(before))
            Start(silo);
        foreach (int silo in Everyone)
            await Silo(silo).ReadyAsync();
    }

    /// <summary>Until each silo says so of the group.</summary>
    internal async Task AwaitVotersAsync(int voters, int tolerated, params string[] silos)
    {
        foreach (int silo in Everyone)
            await Silo(silo).ReadyAsync();
        await UntilAsync(
            async () => (await Task.WhenAll(Everyone.Select(StatusAsync))).All(status =>
                status.GetProperty("voters").GetInt32() == voters
                && status.GetProperty("failuresTolerated").GetInt32() == tolerated
                && Peers(status).Select(peer => peer.GetProperty("silo").GetString()).Order().SequenceEqual(silos)
                && Peers(status).All(peer => peer.GetProperty("state").GetString() is "leader" or "follower")),
            $"{voters} voters on {string.Join(", ", silos)}, of which {tolerated} may fail");
    }

    /// <summary>
    /// Another process that says that it is <paramref name="silo"/>, in a home of its own and with an empty database.
    /// </summary>
    internal async Task<SiloProcess> StartAsAsync(int silo, SiloHome home, string secret)
    {
        string database = $"stranger_{Guid.NewGuid():N}";
        await using (NpgsqlConnection connection = await _homes[^1].ConnectAsync())
        {
            await using var create = new NpgsqlCommand($"CREATE DATABASE {database}", connection);
            await create.ExecuteNonQueryAsync();
        }

        string config = Path.Combine(home.Folder, "silo.json");
        WriteConfig(config, silo, FreePort(), secret);
        return SiloProcess.Start(
            home, "--config", config, "--ConnectionStrings:Coordinator", await _homes[^1].ConnectionStringAsync(database));
    }

    internal async Task KillAsync(int silo) => await Silo(silo).KillAsync();

    internal CoordinatorClient Client(params int[] silos) => new(new CoordinatorClientOptions
    {
        Endpoints = [.. (silos.Length == 0 ? All : silos).Select(silo => Urls[silo])],
        RequestTimeout = Patience,
    });

    /// <summary>Until every silo has a peer that runs, and that has applied what is committed by now.</summary>
    internal async Task AwaitAllAsync()
    {
        foreach (int silo in All)
            await Silo(silo).ReadyAsync();
        JsonElement[] before = await Task.WhenAll(All.Select(StatusAsync));
        long committed = before.Max(status => status.GetProperty("commitIndex").GetInt64());
        await UntilAsync(
            async () => (await Task.WhenAll(All.Select(StatusAsync))).All(status => Peers(status).All(peer =>
                peer.GetProperty("state").GetString() is "leader" or "follower"
                && peer.GetProperty("appliedIndex").GetInt64() >= committed)),
            "all peers run and have caught up");
    }

    /// <summary>The silo whose peer leads, as <paramref name="asked"/> knows it.</summary>
    internal async Task<int> LeaderAsync(int asked = 0)
    {
        int leader = -1;
        await UntilAsync(
            async () => (leader = await TryLeaderAsync(asked)) >= 0, "somebody leads");
        return leader;
    }

    /// <summary>What a silo says of the group.</summary>
    internal async Task<JsonElement> StatusAsync(int silo)
    {
        using JsonDocument status = JsonDocument.Parse(await Http.GetStringAsync(new Uri(Urls[silo] + "/v1/status")));
        return status.RootElement.GetProperty("groups")[0].Clone();
    }

    internal static IEnumerable<JsonElement> Peers(JsonElement status) => status.GetProperty("peers").EnumerateArray();

    internal static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience, $"It never came to this: {what}.");
            await Task.Delay(20);
        }
    }

    /// <summary>-1: it knows of none.</summary>
    internal async Task<int> TryLeaderAsync(int asked) =>
        SiloOf(await StatusAsync(asked));

    private static int SiloOf(JsonElement status) =>
        status.GetProperty("leader") is { ValueKind: JsonValueKind.Number } leader
            && Peers(status).FirstOrDefault(peer => peer.GetProperty("peer").GetInt64() == leader.GetInt64())
                is { ValueKind: JsonValueKind.Object } peer
            ? peer.GetProperty("silo").GetString()![0] - 'a'
            : -1;

    private Uri LinkBetween(int silo, int other) => other != silo && LinkOf is { } linkOf
        ? linkOf(silo, other)
        : new Uri($"ws://{LinkListener(other)}");

    private void WriteConfig(string file, int silo, int linkPort, string secret)
    {
        string silos = string.Join(", ", Everyone.Select(other => $$"""
            { "Id": "{{IdOf(other)}}", "Link": "{{LinkBetween(silo, other)}}", "Url": "{{Urls[other]}}" }
            """));
        File.WriteAllText(file, $$"""
            {
              "Coordinator": {
                "Host": "Cluster",
                "Cluster": {
                  "Secret": "{{secret}}",
                  "SiloId": "{{IdOf(silo)}}",
                  "LinkListen": "ws://127.0.0.1:{{linkPort}}",
                  "Silos": [{{silos}}]
                }
              }
            }
            """);
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
