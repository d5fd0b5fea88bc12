using Coordinator.Client;
using Coordinator.Client.Orleans;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Orleans;
using Coordinator.Tests.Postgres;
using Npgsql;

namespace Coordinator.Tests.Orleans;

/// <summary>Peers of a group that come, go and are replaced, with a database for each, and with one for all.</summary>
[Collection(PostgresCollection.Name)]
public sealed class OrleansMembersTests(PostgresServer server) : SiloScenario(server)
{
    private readonly Dictionary<string, string> _databases = [];

    protected override int Silos => 0;

    [Fact]
    public async Task A_peer_whose_database_was_emptied_is_replaced_by_a_new_one_once()
    {
        OrleansGroupOptions options = await ApartAsync("east", "north", "west");
        TestSilo first = await StartAsync(options);
        await PutAsync(first, "kept");
        await StopAsync(first);
        await EmptyAsync("east");

        TestSilo[] silos = await Task.WhenAll(StartAsync(options), StartAsync(options));
        Assert.Equal("kept", await GetAsync(silos[1]));
        long lost = (await DescribeAsync(silos[1])).Peers.Single(peer => peer.Silo == "east").PeerId;
        var nonce = Guid.NewGuid();
        long made = await AddAsync(silos[1], nonce, replaces: lost);
        Assert.Equal(made, await AddAsync(silos[0], nonce, replaces: lost));
        await UntilWholeAsync(silos[0], (4, "east"), (2, "north"), (3, "west"));
        Assert.Equal(4, made);

        // Until most have stored that it has left, voters that restart may need its vote.
        await UntilForgottenAsync(silos);
        // The new one is as good as any other: the group goes on without one of the others, and after a start anew.
        foreach (TestSilo silo in silos)
            await StopAsync(silo);
        await EmptyAsync("north");
        TestSilo again = await StartAsync(options);
        Assert.Equal("kept", await GetAsync(again));
        Assert.Equal(made, await AddAsync(again, nonce, replaces: lost));
    }

    [Fact]
    public async Task A_lost_peer_is_replaced_by_itself_where_that_is_wanted()
    {
        OrleansGroupOptions options = (await ApartAsync("east", "north", "west")) with
        {
            ReplaceLostPeersAfter = TimeSpan.FromSeconds(1),
        };
        TestSilo first = await StartAsync(options);
        await PutAsync(first, "kept");
        await UntilWholeAsync(first, (1, "east"), (2, "north"), (3, "west"));
        await StopAsync(first);
        await EmptyAsync("west");

        TestSilo again = await StartAsync(options);
        await UntilWholeAsync(again, (1, "east"), (2, "north"), (4, "west"));
        Assert.Equal("kept", await GetAsync(again));
    }

    [Fact]
    public async Task A_group_grows_into_databases_that_are_listed_later_and_shrinks_again()
    {
        OrleansGroupOptions three = await ApartAsync("a", "b", "c");
        TestSilo first = await StartAsync(three);
        await UntilWholeAsync(first, (1, "a"), (2, "b"), (3, "c"));
        await StopAsync(first);
        OrleansGroupOptions five = (await ApartAsync("d", "e")) with { ConnectionString = three.ConnectionString };

        TestSilo[] silos = await Task.WhenAll(StartAsync(five), StartAsync(five));
        await UntilWholeAsync(silos[0], (1, "a"), (2, "b"), (3, "c"));
        CoordinatorException nowhere = await Assert.ThrowsAsync<CoordinatorException>(() => AddAsync(silos[0], Guid.NewGuid(), place: "f"));
        Assert.Equal(ErrorCode.SiloNotFound, nowhere.Code);
        CoordinatorException taken = await Assert.ThrowsAsync<CoordinatorException>(() => AddAsync(silos[0], Guid.NewGuid(), place: "b"));
        Assert.Equal(ErrorCode.PeerChangeRefused, taken.Code);
        await AddAsync(silos[0], Guid.NewGuid(), place: "d");
        await AddAsync(silos[1], Guid.NewGuid(), place: "e");
        await UntilWholeAsync(silos[1], (1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e"));
        await PutAsync(silos[1], "of five");

        foreach (long peer in (long[])[1, 2])
            await Cluster(silos[0]).RemovePeerAsync(peer).WaitAsync(Patience);
        await UntilWholeAsync(silos[1], (3, "c"), (4, "d"), (5, "e"));
        await UntilAsync(async () => await CountRowsAsync("a") + await CountRowsAsync("b") == 0, "nothing is left of those that have left");
        await UntilForgottenAsync(silos);
        Assert.Equal("of five", await GetAsync(silos[1]));
    }

    [Fact]
    public async Task In_a_database_that_all_share_peers_are_added_and_replaced_too()
    {
        OrleansGroupOptions options = Shared(await CreateDatabaseAsync());
        TestSilo[] silos = await Task.WhenAll(StartAsync(options), StartAsync(options));
        await PutAsync(silos[0], "kept");
        await AddAsync(silos[0], Guid.NewGuid(), replaces: 2);
        await UntilWholeAsync(silos[0], (1, "peer 1"), (3, "peer 3"), (4, "peer 4"));
        await AddAsync(silos[1], Guid.NewGuid());
        await UntilWholeAsync(silos[1], (1, "peer 1"), (3, "peer 3"), (4, "peer 4"), (5, "peer 5"));
        foreach (TestSilo silo in silos)
            await StopAsync(silo);

        TestSilo again = await StartAsync(options);
        await UntilWholeAsync(again, (1, "peer 1"), (3, "peer 3"), (4, "peer 4"), (5, "peer 5"));
        Assert.Equal("kept", await GetAsync(again));
    }

    [Fact]
    public async Task A_silo_that_starts_while_a_database_is_away_serves_and_takes_it_in_when_it_is_back()
    {
        OrleansGroupOptions options = await ApartAsync("east", "north", "west");
        TestSilo first = await StartAsync(options);
        await PutAsync(first, "kept");
        await UntilWholeAsync(first, (1, "east"), (2, "north"), (3, "west"));
        await StopAsync(first);
        string away = DatabaseOf("east");
        await RenameAsync(away, away + "_away");
        TestSilo again;
        try
        {
            again = await StartAsync(options);
            Assert.Equal("kept", await GetAsync(again));
            await PutAsync(again, "written without it");
        }
        finally
        {
            await RenameAsync(away + "_away", away);
        }
        await UntilWholeAsync(again, (1, "east"), (2, "north"), (3, "west"));
    }

    [Fact]
    public async Task What_acknowledged_means_is_told_by_each_silo_with_the_state_of_all_databases()
    {
        OrleansGroupOptions options = await ApartAsync("east", "north", "west");
        TestSilo[] silos = await Task.WhenAll(StartAsync(options), StartAsync(options));
        await UntilWholeAsync(silos[0], (1, "east"), (2, "north"), (3, "west"));
        foreach (TestSilo silo in silos)
        {
            await UntilAsync(
                () => Task.FromResult(silo.Groups.Gateways[0].GetStatus().Durability is { } durability
                    && durability.Because.StartsWith("all three voters store in one PostgreSQL server", StringComparison.Ordinal)),
                () => $"the server is known: {silo.Groups.Gateways[0].GetStatus().Durability}");
            GroupStatus status = silo.Groups.Gateways[0].GetStatus();
            Assert.Equal(0, status.Durability!.FaultsTolerated);
            Assert.True(status.Database is { Available: true, Refusals.Count: 0 });
        }
    }

    [Fact]
    public async Task A_cluster_is_not_founded_with_an_even_number_of_databases()
    {
        TestSilo silo = await StartAsync(await ApartAsync("east", "west"));
        GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => silo.Groups.Founded.WaitAsync(Patience));
        Assert.Contains("odd number of databases", refused.Message, StringComparison.Ordinal);
    }

    private static Task UntilForgottenAsync(TestSilo[] silos) => UntilAsync(
        () => Task.FromResult(silos.All(silo => silo.Get<PeerPlaces>().Keys.Count == 3)), "nobody looks for those who have left");

    private static CoordinatorCluster Cluster(TestSilo silo) => silo.Grains.GetCoordinator().Cluster;

    private static Task<GroupInfo> DescribeAsync(TestSilo silo) => Cluster(silo).DescribeAsync().WaitAsync(Patience);

    private static Task<long> AddAsync(TestSilo silo, Guid nonce, long? replaces = null, string? place = null) =>
        Cluster(silo).AddPeerAsync(nonce: nonce, silo: place, replaces: replaces).WaitAsync(Patience);

    private static async Task PutAsync(TestSilo silo, string value) =>
        await silo.Grains.GetCoordinator().Configuration.PutAsync("key", value).WaitAsync(Patience);

    private static async Task<string?> GetAsync(TestSilo silo) =>
        (await silo.Grains.GetCoordinator().Configuration.GetAsync("key").WaitAsync(Patience))?.GetString();

    /// <summary>Until the group has these voters and no other peers, and all of them have caught up.</summary>
    private static async Task UntilWholeAsync(TestSilo silo, params (long, string)[] voters)
    {
        GroupInfo? group = null;
        await UntilAsync(
            async () =>
            {
                group = await DescribeAsync(silo);
                return voters.Order().SequenceEqual(group.Peers.Select(peer => (peer.PeerId, peer.Silo)).Order())
                    && group.Peers.All(peer => peer.IsVoter) && group.VotersCaughtUp == voters.Length;
            },
            () => string.Join(", ", group?.Peers.Select(peer => $"{peer.PeerId} {peer.Silo} {(peer.IsVoter ? "voter" : "learner")} {peer.State} {peer.LastIndex} {peer.Detail}") ?? []));
    }

    private async Task<OrleansGroupOptions> ApartAsync(params string[] names)
    {
        foreach (string name in names)
            _databases[name] = Server.ConnectionString(await CreateDatabaseAsync());
        return Shared(await CreateDatabaseAsync()) with { Databases = new Dictionary<string, string>(_databases) };
    }

    private OrleansGroupOptions Shared(string database) => new()
    {
        ConnectionString = Server.ConnectionString(database),
        BalanceDelay = TimeSpan.FromMilliseconds(200),
    };

    private string DatabaseOf(string name) => new NpgsqlConnectionStringBuilder(_databases[name]).Database!;

    private async Task EmptyAsync(string name) => await ExecuteAsync(DatabaseOf(name), "DROP SCHEMA coordinator CASCADE");

    private async Task RenameAsync(string from, string to)
    {
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync("postgres", $"ALTER DATABASE \"{from}\" RENAME TO \"{to}\"");
    }

    private async Task<long> CountRowsAsync(string name) =>
        (long)(await ExecuteAsync(DatabaseOf(name), "SELECT count(*) FROM coordinator.peer"))!;

    private async Task<object?> ExecuteAsync(string database, string sql)
    {
        await using NpgsqlConnection connection = await Server.ConnectAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
