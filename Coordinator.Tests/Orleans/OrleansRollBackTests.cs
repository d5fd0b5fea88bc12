using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Orleans;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Tests.Grains;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orleans.Hosting;

namespace Coordinator.Tests.Orleans;

/// <summary>
/// A peer's database that goes back in time while the peer is active nowhere, in silos with a database for each peer. No silo
/// runs meanwhile, so nobody has it in memory.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class OrleansRollBackTests(PostgresServer server) : SiloScenario(server)
{
    private static readonly string[] Places = ["east", "north", "west"];

    private readonly ConcurrentDictionary<int, int> _events = [];

    protected override int Silos => 0;

    [Theory]
    [InlineData(true, "the witness that is kept apart from it has seen")]
    [InlineData(false, "has seen write")]
    public async Task One_that_went_back_is_found_by_its_row_or_by_the_other_peers_and_stays_so(bool hasRow, string saying)
    {
        OrleansGroupOptions options = await WithDatabasesAsync(await CreateDirectoryAsync());
        TestSilo silo = await StartAsync(options);
        await PutAsync(silo, "first");
        await KeepAsync(options, "north");
        await PutAsync(silo, "last");
        await RestAsync(silo);
        await StopAsync(silo);
        await PutBackAsync(options, "north");
        if (!hasRow)
            await ForgetAsync(options);
        for (int start = 0; start < 2; start++)
        {
            _events.Clear();
            silo = await StartAsync(options);
            await AreAsync(silo, ServiceState.Quarantined, 2);
            Assert.Contains("went back in time", DetailOf(silo, 2), StringComparison.Ordinal);
            Assert.Contains(saying, DetailOf(silo, 2), StringComparison.Ordinal);
            await UntilAsync(() => Task.FromResult(_events.ContainsKey(3040)), "the alarm is raised");
            await AreAsync(silo, ServiceState.Running, 1, 3);
            Assert.Equal("last", await GetAsync(silo));
            await StopAsync(silo);
        }
    }

    [Fact]
    public async Task Those_that_were_put_back_on_purpose_run_when_their_operator_vouches_for_them_and_from_then_on()
    {
        OrleansGroupOptions options = await WithDatabasesAsync(await CreateDirectoryAsync());
        TestSilo silo = await StartAsync(options);
        await PutAsync(silo, "kept");
        await RestAsync(silo);
        await StopAsync(silo);
        foreach (string place in Places)
            await KeepAsync(options, place);
        silo = await StartAsync(options);
        await PutAsync(silo, "gone");
        await RestAsync(silo);
        await StopAsync(silo);
        foreach (string place in Places)
            await PutBackAsync(options, place);
        silo = await StartAsync(options);
        await AreAsync(silo, ServiceState.Quarantined, 1, 2, 3);
        await StopAsync(silo);

        string expected = "kept";
        foreach (bool vouches in (bool[])[true, false])
        {
            silo = await StartAsync(options with { TrustStorage = vouches });
            await AreAsync(silo, ServiceState.Running, 1, 2, 3);
            Assert.Equal(expected, await GetAsync(silo));
            await PutAsync(silo, expected = $"vouched for: {vouches}");
            await RestAsync(silo);
            await StopAsync(silo);
        }
    }

    [Fact]
    public async Task On_the_directorys_own_server_all_others_have_to_answer_or_the_operator()
    {
        OrleansGroupOptions options = await WithDatabasesAsync(Server.ConnectionString(await CreateDatabaseAsync()));
        TestSilo silo = await StartAsync(options);
        await PutAsync(silo, "kept");
        Assert.True(_events.ContainsKey(3117));
        await RestAsync(silo);
        await StopAsync(silo);
        await EmptyDatabaseAsync(options.Databases["east"]);

        silo = await StartAsync(options);
        await AreAsync(silo, ServiceState.Comparing, 2, 3);
        await UntilAsync(
            () => Task.FromResult(((long[])[2, 3]).All(peer => DetailOf(silo, peer).EndsWith("have seen of its storage: peer 1.", StringComparison.Ordinal))),
            "only peer 1 is missing");
        await StopAsync(silo);
        silo = await StartAsync(options with { TrustStorage = true });
        await AreAsync(silo, ServiceState.Running, 2, 3);
        Assert.Equal("kept", await GetAsync(silo));
    }

    [Fact]
    public async Task Founding_notes_all_peers_before_they_are_stored_so_that_the_first_ones_wait_for_nobody_who_is_lost()
    {
        OrleansGroupOptions options = await WithDatabasesAsync(await CreateDirectoryAsync()) with { Groups = 4 };
        var places = new PeerPlaces(options);
        await OrleansTables.InstallAsync(options.ConnectionString, CancellationToken.None);
        await using (var table = new WitnessTable(options.ConnectionString, TimeProvider.System, NullLogger.Instance))
        await using (var databases = new PeerDatabases(options, places, TimeProvider.System, NullLoggerFactory.Instance, NullLogger.Instance))
        {
            var nothing = new OrleansRestore(
                null, (_, _) => throw new InvalidOperationException("Nobody is asked."), _ => { }, NullLogger.Instance);
            var founding = new OrleansFounding(
                databases, places, options, nothing, new WitnessOptions { Rows = table.Of }, TimeProvider.System,
                NullLogger.Instance);
            await founding.SettleAsync(CancellationToken.None).WaitAsync(Patience);
        }
        Assert.Equal(12, await CountRowsAsync(options));
        await EmptyDatabaseAsync(options.Databases["east"]);
        TestSilo silo = await StartAsync(options);
        await AreAsync(silo, ServiceState.Running, 2, 3);
        await PutAsync(silo, "served");
        Assert.False(_events.ContainsKey(3117));
    }

    protected override OrleansGroupOptions Options() => base.Options() with
    {
        Replica = new ReplicaOptions { TickUs = 50_000, QuiesceElections = 2 },
    };

    protected override void Configure(ISiloBuilder silo) =>
        silo.Services.AddSingleton<ILoggerFactory>(new EventLog(_events));

    private static PeerLoop? PeerOf(TestSilo silo, long peer) => silo.Group.SeatOf(new PeerId(peer))?.Loop;

    private static string DetailOf(TestSilo silo, long peer) => PeerOf(silo, peer)?.Status.Detail ?? "";

    private static Task AreAsync(TestSilo silo, ServiceState state, params long[] peers) => UntilAsync(
        () => Task.FromResult(peers.All(peer => PeerOf(silo, peer)?.Status.Service == state)),
        () => $"peers {string.Join(", ", peers)} are {state}; they are "
            + string.Join(", ", peers.Select(peer => PeerOf(silo, peer)?.Status)));

    /// <summary>Nothing is pending, so all that is to be noted of others and of the own storage is.</summary>
    private static Task RestAsync(TestSilo silo) => UntilAsync(
        () => Task.FromResult(silo.Group.Peers.Count == 3 && silo.Group.Peers.All(peer => peer.Status.IsQuiesced)), "the group rests");

    /// <summary>Without a session, which would keep the group awake.</summary>
    private static async Task PutAsync(TestSilo silo, string value)
    {
        using var patience = new CancellationTokenSource(Patience);
        CommandAnswer answer;
        do
        {
            answer = await silo.Groups.Gateways[0].ExecuteAsync(
                new Command { PutConfig = new PutConfig { Key = "key", Value = ByteString.CopyFromUtf8(value) } }, patience.Token);
        }
        while (answer.Result.Error != ErrorCode.Ok);
    }

    private static async Task<string> GetAsync(TestSilo silo)
    {
        using var patience = new CancellationTokenSource(Patience);
        QueryAnswer answer;
        do
        {
            answer = await silo.Groups.Gateways[0].QueryAsync(new Query { GetConfig = new GetConfig { Key = "key" } }, patience.Token);
        }
        while (answer.Error != ErrorCode.Ok);
        return answer.Entries.Single().Value.ToStringUtf8();
    }

    private async Task KeepAsync(OrleansGroupOptions options, string place)
    {
        await using NpgsqlConnection connection = await ConnectAsync(options.Databases[place]);
        await RowsPutBack.KeepAsync(connection, "before");
    }

    private async Task PutBackAsync(OrleansGroupOptions options, string place)
    {
        await using NpgsqlConnection connection = await ConnectAsync(options.Databases[place]);
        await RowsPutBack.PutBackAsync(connection, "before");
    }

    private static async Task ForgetAsync(OrleansGroupOptions options)
    {
        await using NpgsqlDataSource directory = NpgsqlDataSource.Create(options.ConnectionString);
        await using NpgsqlCommand forget = directory.CreateCommand("TRUNCATE coordinator_orleans.peer_witness");
        await forget.ExecuteNonQueryAsync();
    }

    private static async Task<long> CountRowsAsync(OrleansGroupOptions options)
    {
        await using NpgsqlDataSource directory = NpgsqlDataSource.Create(options.ConnectionString);
        await using NpgsqlCommand count = directory.CreateCommand("SELECT count(*) FROM coordinator_orleans.peer_witness WHERE epoch = 0");
        return (long)(await count.ExecuteScalarAsync())!;
    }
}
