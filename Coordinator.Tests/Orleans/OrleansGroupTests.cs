using Coordinator.Client;
using Coordinator.Client.Orleans;
using Coordinator.Contracts;
using Coordinator.Grains.Orleans;
using Coordinator.Raft;
using Coordinator.Tests.Postgres;
using Npgsql;
using Orleans;
using Orleans.Runtime;

namespace Coordinator.Tests.Orleans;

/// <summary>A group over silos that come and go, in this process.</summary>
[Collection(PostgresCollection.Name)]
public sealed class OrleansGroupTests(PostgresServer server) : SiloScenario(server)
{
    [Fact]
    public async Task Peers_spread_over_the_silos_that_come_and_gather_on_those_that_stay()
    {
        CoordinatorConfiguration configuration = Running[0].Grains.GetCoordinator().Configuration;
        await configuration.PutAsync("first", "1").WaitAsync(Patience);
        TestSilo second = await StartAsync(Options());
        TestSilo third = await StartAsync(Options());
        await UntilAsync(async () => (await PlacedAsync()).Values.Distinct().Count() == 3, "each silo has a peer");
        await AllRunAsync(third);
        Assert.Equal("1", (await third.Grains.GetCoordinator().Configuration.GetAsync("first").WaitAsync(Patience))?.GetString());

        await StopAsync(third);
        await UntilAsync(
            async () => (await PlacedAsync()) is { Count: 3 } placed && placed.Values.Distinct().Count() == 2,
            "the two that stay have all peers");
        await AllRunAsync(second);
        await configuration.PutAsync("second", "2").WaitAsync(Patience);
    }

    [Fact]
    public async Task Each_peer_has_its_database_and_one_that_was_emptied_gets_no_peer_back()
    {
        OrleansGroupOptions options = await WithDatabasesAsync(await CreateDirectoryAsync());
        // Two that found at once: one is first, and both have the same group.
        TestSilo[] silos = await Task.WhenAll(StartAsync(options), StartAsync(options));
        Guid[] clusters = await Task.WhenAll(silos.Select(silo => silo.Groups.Founded)).WaitAsync(Patience);
        Assert.Single(clusters.Distinct());
        await silos[1].Grains.GetCoordinator().Configuration.PutAsync("kept", "yes").WaitAsync(Patience);
        foreach (TestSilo silo in silos)
            await StopAsync(silo);

        await EmptyDatabaseAsync(options.Databases["east"]);
        TestSilo again = await StartAsync(options);
        Assert.Equal(clusters[0], await again.Groups.Founded.WaitAsync(Patience));
        Assert.Equal("yes", (await again.Grains.GetCoordinator().Configuration.GetAsync("kept").WaitAsync(Patience))?.GetString());
        GroupInfo group = await again.Grains.GetCoordinator().Cluster.DescribeAsync().WaitAsync(Patience);
        Assert.Equal(0, group.FailuresTolerated);
        Assert.DoesNotContain(group.Peers, peer => peer is { Silo: "east", State: "leader" or "follower" });
    }

    [Fact]
    public async Task Leadership_goes_to_the_peer_that_an_operator_names()
    {
        CoordinatorCluster cluster = Running[0].Grains.GetCoordinator().Cluster;
        await AllRunAsync(Running[0]);
        GroupInfo before = await cluster.DescribeAsync().WaitAsync(Patience);
        long wanted = before.Peers.First(peer => peer.PeerId != before.LeaderPeerId).PeerId;
        GroupInfo after = await cluster.TransferLeadershipAsync(toPeerId: wanted).WaitAsync(Patience);
        Assert.Equal(wanted, after.LeaderPeerId);
    }

    [Fact]
    public async Task A_peer_that_is_fenced_off_leaves_a_tombstone_and_is_not_active_again_at_once()
    {
        await AllRunAsync(Running[0]);
        await using NpgsqlConnection connection = await Server.ConnectAsync(Database);
        await using var take = new NpgsqlCommand(
            "UPDATE coordinator.peer SET epoch = epoch + 1, owner = 'another' WHERE peer_id = 2 RETURNING epoch", connection);
        long taken = (long)(await take.ExecuteScalarAsync())!;
        OrleansGroup group = Running[0].Group;
        await UntilAsync(() => Task.FromResult(group.Tombstones.LeftOf(new(0, new PeerId(2))) > TimeSpan.Zero), "it has a tombstone");
        // The other two go on.
        await Running[0].Grains.GetCoordinator().Configuration.PutAsync("still", "served").WaitAsync(Patience);
        await using var look = new NpgsqlCommand("SELECT epoch FROM coordinator.peer WHERE peer_id = 2", connection);
        Assert.Equal(taken, await look.ExecuteScalarAsync());
        await AllRunAsync(Running[0]);
        Assert.Equal(taken + 1, await look.ExecuteScalarAsync());
    }

    [Fact]
    public async Task The_catalogue_is_told_of_the_peers_and_its_reminder_asks_each_of_them()
    {
        IGroupCatalogueGrain catalogue = Running[0].Grains.GetGrain<IGroupCatalogueGrain>(0);
        byte[]? stored = null;
        await UntilAsync(async () => (stored = await catalogue.GetAsync()) is not null, "the leader has told it");
        GroupDescription known = GroupDescription.Parser.ParseFrom(stored);
        Assert.Equal([1L, 2L, 3L], known.Peers.Select(peer => peer.PeerId).Order());
        Assert.All(known.Peers, peer => Assert.Equal("voter", peer.Role));
        await catalogue.AsReference<IRemindable>().ReceiveReminder("wake the peers", default);
    }

    [Fact]
    public async Task Tables_are_installed_once_though_many_install_them()
    {
        string connectionString = Server.ConnectionString(await CreateDatabaseAsync());
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => OrleansTables.InstallAsync(connectionString, CancellationToken.None)));
        await OrleansTables.InstallAsync(connectionString, CancellationToken.None);
    }

    private static Task AllRunAsync(TestSilo silo) => UntilAsync(() => Task.FromResult(silo.Group.AllRun(out _)), "all peers run");

    private Task<IReadOnlyDictionary<PeerId, SiloAddress>> PlacedAsync() =>
        Running[0].Get<PeerWhereabouts>().ReadAsync(0);
}
