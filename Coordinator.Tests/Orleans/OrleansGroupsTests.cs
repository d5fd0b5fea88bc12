using Coordinator.Client;
using Coordinator.Client.Orleans;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Orleans;
using Coordinator.Raft;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Orleans.Runtime;

namespace Coordinator.Tests.Orleans;

/// <summary>Several groups over silos that come and go, in this process.</summary>
[Collection(PostgresCollection.Name)]
public sealed class OrleansGroupsTests(PostgresServer server) : SiloScenario(server)
{
    private const int Count = 6;

    private static readonly string[] Keys = [.. Enumerable.Range(0, Count).Select(group =>
        Enumerable.Range(0, int.MaxValue).Select(i => $"space{i}/key").First(key => GroupOfName.Of(key, Count) == group))];

    private OrleansGroups First => Running[0].Groups;

    protected override OrleansGroupOptions Options() => base.Options() with
    {
        Groups = Count,
        SpreadInterval = TimeSpan.FromMilliseconds(200),
    };

    [Fact]
    public async Task Peers_and_leaders_of_all_groups_spread_over_the_silos_that_come_and_gather_on_those_that_stay()
    {
        await PutAllAsync(Running[0], "first");
        await StartAsync(Options());
        TestSilo third = await StartAsync(Options());
        await UntilApartAsync(silos: 3);
        await UntilLedEvenlyAsync();
        await CheckAllAsync(third, "first");
        await PutAllAsync(third, "second");

        await StopAsync(third);
        await UntilApartAsync(silos: 2);
        await CheckAllAsync(Running[1], "second");
        await PutAllAsync(Running[1], "third");
    }

    [Fact]
    public async Task The_client_in_a_grain_finds_the_group_of_each_name()
    {
        CoordinatorClient client = Running[0].Grains.GetCoordinator();
        await using CoordinatorClient other = Running[0].Grains.CreateCoordinator(new CoordinatorClientOptions());
        Assert.Equal(Count, await client.Cluster.CountGroupsAsync().WaitAsync(Patience));
        for (int group = 0; group < Count; group++)
        {
            Assert.Equal(group, await client.Cluster.GroupOfAsync(Keys[group]).WaitAsync(Patience));
            await using LockHandle held = await client.Locks.AcquireAsync(Keys[group]).WaitAsync(Patience);
            Assert.Null(await other.Locks.TryAcquireAsync(Keys[group]).WaitAsync(Patience));
            Assert.Equal(group, (await client.Cluster.DescribeAsync(group).WaitAsync(Patience)).Group);
        }
    }

    [Fact]
    public async Task Idle_groups_rest_and_tell_the_other_silos_nothing_but_what_changes()
    {
        await StartAsync(Options());
        await UntilApartAsync(silos: 2);
        await UntilLedEvenlyAsync();
        await SleepAsync();
        SiloFacts all = First.Here.Tell(since: 0);
        Assert.False(all.Partial);
        Assert.Equal(First.Groups.Sum(group => group.Peers.Count), all.Groups.Count);
        SiloFacts nothing = First.Here.Tell(all.Version);
        Assert.True(nothing.Partial);
        Assert.Equal((0, all.Version), (nothing.Groups.Count, nothing.Version));

        await PutAsync(Running[1], 2);
        await UntilAsync(() => Task.FromResult(First.Here.Tell(all.Version).Groups.Count > 0), "its group has news");
        Assert.All(First.Here.Tell(all.Version).Groups, fact => Assert.Equal(2, fact.Group));
        await SleepAsync();
    }

    [Fact]
    public async Task A_leader_that_no_silo_tells_of_is_forgotten_by_those_who_rest()
    {
        OrleansGroups second = (await StartAsync(Options())).Groups;
        await UntilApartAsync(silos: 2);
        await UntilLedEvenlyAsync();
        await SleepAsync();
        OrleansGroup group = First.Groups.First(one => one.Gateway.Leader() is null);
        PeerId leader = group.Picture().Leader;
        await UntilAsync(
            () =>
            {
                // Again, since late news would tell of it once more.
                group.Told(leader, null);
                return Task.FromResult(group.Peers.All(peer => !peer.Status.IsQuiesced));
            },
            "its followers are awake");
        First.Elsewhere.Told(second.Address, second.Here.Tell(since: 0));
        await PutAsync(Running[0], group.Group);
        await PutAsync(Running[1], group.Group);
        await SleepAsync();
    }

    [Fact]
    public async Task Another_number_of_groups_is_refused_with_the_stored_one_named()
    {
        await First.Founded.WaitAsync(Patience);
        TestSilo other = await StartAsync(Options() with { Groups = 4 });
        GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => other.Groups.Founded.WaitAsync(Patience));
        Assert.Contains($"founded with {Count} groups, and Coordinator:Groups is 4", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"founded with {Count} groups", other.Groups.Gateways[0].GetStatus().Notice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_database_for_each_peer_all_groups_are_founded_at_once_and_outlive_the_loss_of_one()
    {
        OrleansGroupOptions options = await WithDatabasesAsync(await CreateDirectoryAsync());
        TestSilo[] silos = await Task.WhenAll(StartAsync(options), StartAsync(options));
        Guid[] clusters = await Task.WhenAll(silos.Select(silo => silo.Groups.Founded)).WaitAsync(Patience);
        Assert.Single(clusters.Distinct());
        await PutAllAsync(silos[1], "kept");
        foreach (TestSilo silo in silos)
            await StopAsync(silo);

        await EmptyDatabaseAsync(options.Databases["north"]);
        TestSilo again = await StartAsync(options);
        Assert.Equal(clusters[0], await again.Groups.Founded.WaitAsync(Patience));
        await CheckAllAsync(again, "kept");
        TestSilo wrong = await StartAsync(options with { Groups = 1 });
        await Assert.ThrowsAsync<GroupStartException>(() => wrong.Groups.Founded.WaitAsync(Patience));
    }

    private static async Task PutAllAsync(TestSilo silo, string value) => await Task.WhenAll(Keys.Select(key =>
        silo.Grains.GetCoordinator().Configuration.PutAsync(key, value))).WaitAsync(Patience);

    /// <summary>Without a session, which would keep the group awake.</summary>
    private static async Task PutAsync(TestSilo silo, int group)
    {
        CommandAnswer answer = await silo.Groups.Gateways[group].ExecuteAsync(
            new Command { PutConfig = new PutConfig { Key = Keys[group], Value = ByteString.CopyFromUtf8("put") } }, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);
    }

    private static async Task CheckAllAsync(TestSilo silo, string value)
    {
        foreach (string key in Keys)
            Assert.Equal(value, (await silo.Grains.GetCoordinator().Configuration.GetAsync(key).WaitAsync(Patience))?.GetString());
    }

    /// <summary>Until every group runs whole, on so many silos, and all silos have as many peers.</summary>
    private Task UntilApartAsync(int silos) => UntilAsync(
        async () =>
        {
            if (!Running.All(silo => silo.Groups.Groups.All(group => group.AllRun(out _))))
                return false;
            var placed = new List<SiloAddress>();
            for (int group = 0; group < Count; group++)
            {
                IReadOnlyDictionary<PeerId, SiloAddress> of = await Running[0].Get<PeerWhereabouts>().ReadAsync(group);
                if (of.Count != 3 || of.Values.Distinct().Count() != silos)
                    return false;
                placed.AddRange(of.Values);
            }
            return placed.CountBy(silo => silo).All(one => one.Value == 3 * Count / silos);
        },
        $"the groups are apart on {silos} silos");

    private Task UntilLedEvenlyAsync() => UntilAsync(
        () => Task.FromResult(Running.All(
            silo => silo.Groups.Gateways.Count(gateway => gateway.Leader() is not null) == Count / Running.Count)),
        "each silo leads as many groups");

    private Task SleepAsync() => UntilAsync(
        () => Task.FromResult(Running.SelectMany(silo => silo.Groups.Groups).SelectMany(group => group.Peers)
            .All(peer => peer.Status.IsQuiesced)),
        "all groups rest");
}
