using Coordinator.Client;
using Coordinator.Client.Orleans;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Orleans;

/// <summary>Four silos and three peers: one silo has none.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SiloWithoutPeerTests(PostgresServer server) : SiloScenario(server)
{
    protected override int Silos => 4;

    [Fact]
    public async Task A_silo_without_a_peer_serves_all_whoever_leads_watches_too()
    {
        await UntilAsync(
            () => Task.FromResult(Running.Count(silo => silo.Group.Peers.Count == 1) == 3 && Running.All(silo => silo.Group.AllRun(out _))),
            "three silos have a peer");
        TestSilo without = Running.Single(silo => silo.Group.Peers.Count == 0);
        CoordinatorClient client = without.Grains.GetCoordinator();
        using var stopping = new CancellationTokenSource(Patience);
        ConfigRevision before = await client.Configuration.PutAsync("setting", "before", cancellationToken: stopping.Token);
        await using IAsyncEnumerator<ConfigUpdate> updates = client.Configuration
            .WatchAsync("setting", new WatchOptions { FromRevision = before.Revision }, stopping.Token).GetAsyncEnumerator(stopping.Token);
        Assert.Equal("before", await NextAsync(updates));
        foreach (long leader in (long[])[1, 2, 3])
        {
            Assert.Equal(leader, (await client.Cluster.TransferLeadershipAsync(leader).WaitAsync(Patience)).LeaderPeerId);
            await client.Configuration.PutAsync("setting", $"{leader} leads", cancellationToken: stopping.Token);
            Assert.Equal($"{leader} leads", await NextAsync(updates));
        }
        Assert.Empty(without.Group.Peers);
    }

    private static async Task<string?> NextAsync(IAsyncEnumerator<ConfigUpdate> updates)
    {
        Assert.True(await updates.MoveNextAsync());
        return Assert.Single(updates.Current.Changes).Entry?.GetString();
    }
}
