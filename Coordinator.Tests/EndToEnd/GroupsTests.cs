using Coordinator.Client;
using Coordinator.Contracts;

namespace Coordinator.Tests.EndToEnd;

/// <summary>The client and real silos of three groups, one of which is killed in between.</summary>
[Collection(SiloProcesses.Name)]
public sealed class GroupsTests
{
    // One namespace of each group.
    private static readonly string[] Spaces = ["users", "orders", "a"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Locks_elections_settings_and_watches_of_three_groups_outlive_the_death_of_their_silo()
    {
        using SiloHome home = new();
        await using CoordinatorClient client = new(new CoordinatorClientOptions
        {
            Endpoints = [home.Address.ToString()],
            SessionTtl = TimeSpan.FromSeconds(60),
            RequestTimeout = Patience,
        });
        SiloProcess silo = SiloProcess.Start(home, "--Coordinator:Groups=3");
        try
        {
            await silo.ReadyAsync();
            Assert.Equal(3, await client.Cluster.CountGroupsAsync());
            for (int group = 0; group < 3; group++)
                Assert.Equal(group, await client.Cluster.GroupOfAsync(Spaces[group] + "/1"));
            GroupUse[] uses = await Task.WhenAll(Spaces.Select(space => GroupUse.BeginAsync(client, space)));
            Assert.Equal(Spaces.Select(space => space + "/lock").Order(StringComparer.Ordinal), await NamesAsync(client));

            await silo.KillAsync();
            await silo.DisposeAsync();
            silo = SiloProcess.Start(home, "--Coordinator:Groups=3");
            await silo.ReadyAsync();

            await Task.WhenAll(uses.Select(use => use.CheckAndEndAsync()));
            await OperateAsync(client);
            await SessionsAsync(client);
            await silo.StopAsync();
        }
        finally
        {
            await silo.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_the_client_has_of_each_group_outlives_the_silo_that_leads_one_of_them()
    {
        var cluster = new RunningCluster { Args = _ => ["--Coordinator:Groups=3"] };
        try
        {
            await cluster.InitializeAsync();
            await using CoordinatorClient client = cluster.Client();
            GroupUse[] uses = await Task.WhenAll(Spaces.Select(space => GroupUse.BeginAsync(client, space)));
            GroupInfo[] groups = await Task.WhenAll(Enumerable.Range(0, 3).Select(group => client.Cluster.DescribeAsync(group)));
            Assert.Equal([0, 1, 2], groups.Select(group => group.Group));
            string lost = groups[1].Peers.Single(peer => peer.PeerId == groups[1].LeaderPeerId).Silo;

            await cluster.KillAsync(lost[0] - 'a');
            await Task.WhenAll(uses.Select(use => use.CheckAndEndAsync()));
            await using CoordinatorSession session = await client.Sessions.CreateAsync(inNamespace: "orders");
            Assert.Equal(1, session.Group);

            await cluster.Start(lost[0] - 'a').ReadyAsync();
            await using CoordinatorClient through = cluster.Client(lost[0] - 'a');
            foreach (string space in Spaces)
                Assert.Equal("2", (await through.Configuration.GetAsync(space + "/setting"))?.GetString());
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }

    private static async Task OperateAsync(CoordinatorClient client)
    {
        GroupInfo before = await client.Cluster.DescribeAsync(group: 2);
        GroupInfo after = await client.Cluster.TransferLeadershipAsync(group: 2);
        Assert.Equal((2, 2), (before.Group, after.Group));
        Assert.NotEqual(before.LeaderPeerId, after.LeaderPeerId);
        Assert.True((await client.Configuration.PutAsync("a/after", "x")).Revision > 0);

        ConfigRevision revision = await client.Configuration.PutAsync("orders/after", "x");
        await client.Configuration.CompactAsync(revision.Revision, revision.Group);
        await Assert.ThrowsAsync<RevisionCompactedException>(
            () => client.Configuration.SnapshotAsync("orders/", new() { Revision = revision.Revision - 1 }));
        Assert.NotEmpty((await client.Configuration.SnapshotAsync("users/")).Entries);
        Assert.True(await client.Locks.ForceReleaseAsync("a/forced", "test") is false);
    }

    private static async Task SessionsAsync(CoordinatorClient client)
    {
        await using CoordinatorSession session = await client.Sessions.CreateAsync(inNamespace: "orders");
        Assert.Equal(1, session.Group);
        await using LockHandle held = await session.Locks.AcquireAsync("orders/explicit", Patience);
        Assert.Null(await client.Locks.TryAcquireAsync("orders/explicit"));
        Assert.Equal(session.Id, (await client.Sessions.DescribeAsync(session.Id, session.Group))?.Id);
        Assert.Null(await client.Sessions.DescribeAsync(session.Id, group: 0));
        List<int> groups = [];
        await foreach (SessionDescription listed in client.Sessions.ListAsync())
            groups.Add(listed.Group);
        Assert.Equal([0, 1, 1, 2], groups);
        CoordinatorException refused = await Assert.ThrowsAsync<CoordinatorException>(() =>
            client.Locks.AcquireAllAsync(["orders/1", "users/1"], Patience));
        Assert.Equal(ErrorCode.SpansGroups, refused.Code);
    }

    private static async Task<List<string>> NamesAsync(CoordinatorClient client)
    {
        List<string> names = [];
        await foreach (HoldingDescription listed in client.Locks.ListAsync())
            names.Add(listed.Name);
        return names;
    }

    /// <summary>What one group does for its client before and after the silo's death.</summary>
    private sealed class GroupUse(CoordinatorClient client, string space, LockHandle held, LeadershipHandle leading, ConfigRevision first)
    {
        private readonly IAsyncEnumerator<ConfigUpdate> _watch = client.Configuration
            .WatchPrefixAsync(space + "/", new() { FromRevision = first.Revision }).GetAsyncEnumerator();

        public static async Task<GroupUse> BeginAsync(CoordinatorClient client, string space)
        {
            GroupUse use = new(
                client, space, await client.Locks.AcquireAsync(space + "/lock", Patience),
                await client.Elections.CampaignAsync(space + "/leader", $"leader of {space}"),
                await client.Configuration.PutAsync(space + "/setting", "1"));
            await use.ToldAsync("1");
            return use;
        }

        public async Task CheckAndEndAsync()
        {
            await client.Configuration.PutAsync(space + "/setting", "2");
            await ToldAsync("2");
            Assert.Equal("2", (await client.Configuration.GetAsync(space + "/setting"))?.GetString());
            Assert.Equal($"leader of {space}", (await client.Elections.GetLeaderAsync(space + "/leader"))?.Value);
            await leading.ProclaimAsync("still");
            Assert.False(held.LostToken.IsCancellationRequested);
            HoldingDescription? described = await client.Locks.DescribeAsync(space + "/lock");
            Assert.Equal((held.SessionId, held.FencingToken), (described!.Holders[0].SessionId, described.Holders[0].FencingToken));
            Assert.Equal(held.SessionId, client.SessionIdOf(space + "/any"));

            await held.ReleaseAsync();
            await using LockHandle next = await client.Locks.AcquireAsync(space + "/lock", Patience);
            Assert.True(next.FencingToken > held.FencingToken);
            await leading.DisposeAsync();
            await _watch.DisposeAsync();
        }

        private async Task ToldAsync(string value)
        {
            Assert.True(await _watch.MoveNextAsync().AsTask().WaitAsync(Patience));
            Assert.Equal(value, Assert.Single(_watch.Current.Changes).Entry?.GetString());
        }
    }
}
