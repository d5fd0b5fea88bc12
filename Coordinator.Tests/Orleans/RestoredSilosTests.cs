using Coordinator.Client;
using Coordinator.Client.Orleans;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Orleans;
using Coordinator.Grains.Recovery;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Tests.Backup;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Orleans;

/// <summary>
/// Silos that become a cluster of two groups which is made of snapshot files, in this process; all peers in one database, or
/// each in its own.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class RestoredSilosTests(PostgresServer server) : SiloScenario(server)
{
    private const int Count = 2;
    private static readonly string[] Places = ["east", "north", "west"];
    private static readonly string[] Keys = [.. Enumerable.Range(0, Count).Select(group => SavedStates.KeyOf(group, Count))];
    private static readonly ClusterRestore Files = Of("blue");
    private static readonly ClusterRestore Others = Of("green");

    protected override int Silos => 0;

    protected override OrleansGroupOptions Options() => base.Options() with { Groups = Count };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_what_silos_have_saved_others_are_made_and_go_on_with_it_and_are_not_made_again(bool isApart)
    {
        ClusterRestore saved = await SaveAsync("saved");
        OrleansGroupOptions options = await OptionsAsync(isApart);
        TestSilo silo = await StartAsync(options with { Restore = saved });
        Guid made = await silo.Groups.Founded.WaitAsync(Patience);
        Assert.NotEqual(saved.Files[0].Header.ClusterId, made);
        await CheckAsync(silo, "saved");
        CoordinatorException heldBack = await Assert.ThrowsAnyAsync<CoordinatorException>(
            () => silo.Grains.GetCoordinator().Locks.TryAcquireAsync(Keys[0]).WaitAsync(Patience));
        Assert.Equal(ErrorCode.GrantsHeldBack, heldBack.Code);
        long before = saved.Files.Max(file => Math.Max(file.Header.Index, file.Header.Revision));
        Assert.All(await PutAsync(silo, "after"), put => Assert.True(put.Revision > before));
        await StopAsync(silo);

        await RefusedAsync(options with { Restore = saved }, $"cluster {made} already, which an earlier start has made");
        await RefusedAsync(options with { Restore = Files }, "has restored group 0 of the file");
        TestSilo again = await StartAsync(options);
        Assert.Equal(made, await again.Groups.Founded.WaitAsync(Patience));
        await CheckAsync(again, "after");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Silos_with_the_files_that_start_at_once_are_one_cluster_and_so_are_those_that_come_while_it_runs(bool isApart)
    {
        OrleansGroupOptions options = await OptionsAsync(isApart);
        OrleansGroupOptions restoring = options with { Restore = Files };
        TestSilo[] silos = await Task.WhenAll(StartAsync(restoring), StartAsync(restoring));
        Guid[] made = await Task.WhenAll(silos.Select(silo => silo.Groups.Founded)).WaitAsync(Patience);
        Assert.Equal(made[0], made[1]);
        await CheckAsync(silos[1], "blue");

        TestSilo late = await StartAsync(restoring);
        TestSilo without = await StartAsync(options);
        Assert.Equal(made[0], await late.Groups.Founded.WaitAsync(Patience));
        Assert.Equal(made[0], await without.Groups.Founded.WaitAsync(Patience));
        await RefusedAsync(options with { Restore = Others }, "has restored group 0 of the file");
        await RefusedAsync(options with { Restore = Files with { Floor = 5 } }, "has restored with --floor 0");
        await CheckAsync(without, "blue");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cluster_that_began_empty_has_no_place_for_a_silo_that_is_to_restore(bool isApart)
    {
        OrleansGroupOptions options = await OptionsAsync(isApart);
        TestSilo empty = await StartAsync(options);
        await empty.Groups.Founded.WaitAsync(Patience);
        await RefusedAsync(options with { Restore = Files }, "has restored nothing");
        await PutAsync(empty, "kept");
        await CheckAsync(empty, "kept");
    }

    [Fact]
    public async Task What_was_begun_in_one_database_is_finished_by_a_silo_with_the_files_and_others_wait_for_that()
    {
        OrleansGroupOptions options = await OptionsAsync(isApart: true);
        Guid begun = await BeginAsync(options);
        TestSilo without = await StartAsync(options);
        await UntilAsync(
            () => Task.FromResult(NoticeOf(without)?.Contains("has no peers yet in north, west: this silo waits", StringComparison.Ordinal) == true),
            "it says what it waits for");
        await RefusedAsync(options with { Restore = Others }, "has restored group 0 of the file");
        Assert.False(without.Groups.Founded.IsCompleted);

        TestSilo with = await StartAsync(options with { Restore = Files });
        Assert.Equal(begun, await with.Groups.Founded.WaitAsync(Patience));
        Assert.Equal(begun, await without.Groups.Founded.WaitAsync(Patience));
        await CheckAsync(without, "blue");
        Assert.Null(NoticeOf(without));
        // And of the database that was the first to be written, no more than the others need.
        await DropAsync(options, "east");
        await StopAsync(with);
        await StopAsync(without);
        TestSilo again = await StartAsync(options);
        Assert.Equal(begun, await again.Groups.Founded.WaitAsync(Patience));
        await CheckAsync(again, "blue");
    }

    [Fact]
    public async Task A_silo_that_may_run_what_was_restored_and_does_not_answer_is_waited_for()
    {
        await using PeerDatabase database = await OpenAsync(Server.ConnectionString(Database));
        RestoreOrder order = RestoredBootstrap.OrderOf(Files)!;
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = GroupBootstrap.Create(
            Count, 3, "one", Options().State, DateTimeOffset.UtcNow, Files);
        await database.BootstrapAsync(clusterId, Count, peers, CancellationToken.None, order.ToByteArray());
        var cluster = new ClusterBootstrap
        {
            ClusterId = ByteString.CopyFrom(clusterId.ToByteArray()),
            Restore = await OrleansRestore.ReadAsync(database, CancellationToken.None),
        };
        Assert.Equal(order, cluster.Restore);
        List<string?> told = [];
        RunsElsewhere elsewhere = new(Runs: false, "silo 2");
        OrleansRestore NewStart() => new(Files, (_, _) => Task.FromResult(elsewhere), told.Add, NullLogger.Instance);
        Task<bool> AgreesAsync(OrleansRestore start) => start.AgreesAsync(cluster, [database], lacking: [], CancellationToken.None);

        // Nobody has led it: a start before this one has died.
        Assert.True(await AgreesAsync(NewStart()));
        await using NpgsqlConnection connection = await Server.ConnectAsync(Database);
        await using var lead = new NpgsqlCommand("UPDATE coordinator.peer SET term = 2 WHERE peer_id = 3", connection);
        await lead.ExecuteNonQueryAsync();
        OrleansRestore start = NewStart();
        Assert.False(await AgreesAsync(start));
        Assert.False(await AgreesAsync(start));
        Assert.Contains("silo 2, which may run it, does not answer", Assert.Single(told), StringComparison.Ordinal);
        elsewhere = new RunsElsewhere(Runs: true, Silent: null);
        Assert.True(await AgreesAsync(start));
        Assert.Null(told[^1]);
        elsewhere = default;
        Assert.True(await AgreesAsync(start));
        await Assert.ThrowsAsync<GroupStartException>(() => AgreesAsync(NewStart()));
        OrleansRestore first = NewStart();
        first.SawNone();
        Assert.True(await AgreesAsync(first));
    }

    [Fact]
    public async Task Of_one_database_that_is_left_of_three_all_groups_are_rebuilt_and_restored()
    {
        OrleansGroupOptions options = await OptionsAsync(isApart: true);
        TestSilo silo = await StartAsync(options);
        await PutAsync(silo, "left");
        await UntilAsync(
            () => Task.FromResult(silo.Groups.Groups.All(group => group.Peers.Count == Places.Length
                && group.Peers.Select(peer => peer.Status.AppliedIndex).Distinct().Count() == 1)),
            "all peers have applied all");
        await StopAsync(silo);

        SurvivingDatabase? left = null;
        await UntilAsync(
            async () =>
            {
                try
                {
                    left = await SurvivorReader.ReadAsync("west", options.Databases["west"], CancellationToken.None);
                }
                catch (RecoveryException e) when (e.Message.Contains("is in use", StringComparison.Ordinal))
                {
                    // The server ends the silo's connections a moment after the silo has.
                }
                return left is not null;
            },
            "the database is not in use");
        RecoveryPlan[] plans = [.. Enumerable.Range(0, Count).Select(group => RecoveryPlan.Of([left!.OfGroup(group)]))];
        Assert.All(plans, plan => Assert.Equal((false, 2), (plan.HasQuorum, plan.LostVoters.Count)));
        TestSilo restored = await StartAsync(await OptionsAsync(isApart: false) with
        {
            Restore = new ClusterRestore { Files = [.. plans.Select(plan => Parse(SavedStates.Of(plan.State)))] },
        });
        await CheckAsync(restored, "left");
    }

    [Fact]
    public void Files_that_are_no_whole_cluster_are_refused_before_anything_is_made()
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(
            () => (Options() with { Groups = 3, Restore = Files }).Validate());
        Assert.Contains("group 2 is missing", refused.Message, StringComparison.Ordinal);
    }

    private static ClusterRestore Of(string colour)
    {
        var cluster = Guid.NewGuid();
        return new ClusterRestore
        {
            Files = [.. Enumerable.Range(0, Count).Select(group => SavedStates.FileOf(group, cluster, SavedStates.KeyOf(group, Count), colour))],
            HoldBack = TimeSpan.FromMinutes(5),
        };
    }

    private static SnapshotFile Parse(SavedState state) => SnapshotFile.Parse(SavedStates.FileOf(state));

    /// <summary>Of databases that nothing is in.</summary>
    private async Task<OrleansGroupOptions> OptionsAsync(bool isApart)
    {
        if (!isApart)
            return Options() with { ConnectionString = Server.ConnectionString(await CreateDatabaseAsync()) };
        Dictionary<string, string> databases = [];
        foreach (string place in Places)
            databases[place] = Server.ConnectionString(await CreateDatabaseAsync());
        return Options() with { ConnectionString = await CreateDirectoryAsync(), Databases = databases };
    }

    /// <summary>What a silo of another cluster has of all its groups when these values are put.</summary>
    private async Task<ClusterRestore> SaveAsync(string value)
    {
        TestSilo silo = await StartAsync(Options());
        await PutAsync(silo, value);
        List<SnapshotFile> files = [];
        foreach (GroupGateway gateway in silo.Groups.Gateways)
        {
            using SavedGroup saved = await gateway.SaveAsync(gateway.Group, CancellationToken.None).WaitAsync(Patience);
            Assert.Equal(ErrorCode.Ok, saved.Error);
            files.Add(Parse(saved.State!));
        }
        await StopAsync(silo);
        return new ClusterRestore { Files = files };
    }

    /// <summary>As a silo leaves it that dies when it has written the first database.</summary>
    private static async Task<Guid> BeginAsync(OrleansGroupOptions options)
    {
        List<StoredSilo> claimed = [];
        foreach (string place in Places)
        {
            await using PeerDatabase database = await OpenAsync(options.Databases[place]);
            claimed.Add((await database.ClaimForSiloAsync(place, CancellationToken.None))!);
        }
        ClusterBootstrap bootstrap = RestoredBootstrap.Create(
            Files, [.. claimed.Select(place => (place.SiloId, place.StorageId))], DateTimeOffset.UtcNow);
        var clusterId = new Guid(bootstrap.ClusterId.Span);
        await using PeerDatabase first = await OpenAsync(options.Databases[Places[0]]);
        await first.BootstrapSiloAsync(
            clusterId, RestoredBootstrap.PeersOf(bootstrap, claimed[0], Files),
            claimed[0] with { Bootstrap = bootstrap.ToByteArray() }, CancellationToken.None);
        return clusterId;
    }

    private static Task<PeerDatabase> OpenAsync(string connectionString) => PeerDatabase.OpenAsync(
        new PeerDatabaseOptions { ConnectionString = connectionString }, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);

    private async Task DropAsync(OrleansGroupOptions options, string place)
    {
        await using NpgsqlConnection connection = await Server.ConnectAsync(
            new NpgsqlConnectionStringBuilder(options.Databases[place]).Database!);
        await using var drop = new NpgsqlCommand("DROP SCHEMA coordinator CASCADE", connection);
        await drop.ExecuteNonQueryAsync();
    }

    /// <summary>The silo's start with this, which founds and finds nothing.</summary>
    private async Task RefusedAsync(OrleansGroupOptions options, string because)
    {
        TestSilo silo = await StartAsync(options);
        GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => silo.Groups.Founded.WaitAsync(Patience));
        Assert.Contains(because, refused.Message, StringComparison.Ordinal);
        Assert.Equal(refused.Message, NoticeOf(silo));
        await StopAsync(silo);
    }

    private static string? NoticeOf(TestSilo silo) => silo.Groups.Gateways[^1].GetStatus().Notice;

    private static Task<ConfigRevision[]> PutAsync(TestSilo silo, string value) => Task.WhenAll(
        Keys.Select(key => silo.Grains.GetCoordinator().Configuration.PutAsync(key, value))).WaitAsync(Patience);

    private static async Task CheckAsync(TestSilo silo, string value)
    {
        foreach (string key in Keys)
            Assert.Equal(value, (await silo.Grains.GetCoordinator().Configuration.GetAsync(key).WaitAsync(Patience))?.GetString());
    }
}
