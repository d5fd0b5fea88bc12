using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Coordinator.Client;
using Npgsql;

namespace Coordinator.Tests.EndToEnd;

/// <summary>Three silos of one cluster, real processes, each with a private PostgreSQL of its own.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    private const int Count = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new();

    private readonly SiloHome[] _homes = [.. Enumerable.Range(0, Count).Select(_ => new SiloHome())];
    private readonly int[] _linkPorts = [.. Enumerable.Range(0, Count).Select(_ => FreePort())];
    private readonly SiloProcess?[] _silos = new SiloProcess?[Count];

    /// <summary>Where the first of two silos reaches the second one for its link; null: where that one listens.</summary>
    internal Func<int, int, Uri>? LinkOf { get; init; }

    public string[] Urls => [.. _homes.Select(home => home.Address.ToString().TrimEnd('/'))];

    public static IEnumerable<int> All => Enumerable.Range(0, Count);

    public async Task InitializeAsync()
    {
        foreach (int silo in All)
            Start(silo);
        await AwaitAllAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (SiloProcess? silo in _silos)
            await (silo?.DisposeAsync() ?? ValueTask.CompletedTask);
        foreach (SiloHome home in _homes)
            home.Dispose();
    }

    internal IPEndPoint LinkListener(int silo) => new(IPAddress.Loopback, _linkPorts[silo]);

    internal SiloProcess Silo(int silo) => _silos[silo]!;

    internal SiloHome Home(int silo) => _homes[silo];

    internal SiloProcess Start(int silo)
    {
        string config = Path.Combine(_homes[silo].Folder, "silo.json");
        WriteConfig(config, silo, _linkPorts[silo], "a secret that only this test knows");
        return _silos[silo] = SiloProcess.Start(_homes[silo], "--config", config);
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

    private async Task<int> TryLeaderAsync(int asked) =>
        (await StatusAsync(asked)).GetProperty("leader") is { ValueKind: JsonValueKind.Number } leader ? leader.GetInt32() - 1 : -1;

    private Uri LinkBetween(int silo, int other) => other != silo && LinkOf is { } linkOf
        ? linkOf(silo, other)
        : new Uri($"ws://{LinkListener(other)}");

    private void WriteConfig(string file, int silo, int linkPort, string secret)
    {
        string silos = string.Join(", ", All.Select(other => $$"""
            { "Id": "{{(char)('a' + other)}}", "Link": "{{LinkBetween(silo, other)}}", "Url": "{{Urls[other]}}" }
            """));
        File.WriteAllText(file, $$"""
            {
              "Coordinator": {
                "Host": "Cluster",
                "Cluster": {
                  "Secret": "{{secret}}",
                  "SiloId": "{{(char)('a' + silo)}}",
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
