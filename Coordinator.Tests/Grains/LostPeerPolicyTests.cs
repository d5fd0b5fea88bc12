using Coordinator.Grains;
using Coordinator.Raft;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Grains;

/// <summary>With the option on, the leader's silo replaces peers that are lost, by itself.</summary>
[Collection(PostgresCollection.Name)]
public sealed class LostPeerPolicyTests(PostgresServer server) : SiloMembershipScenario(server)
{
    public override Task InitializeAsync()
    {
        Silos.ReplaceLostPeersAfter = TimeSpan.FromSeconds(1);
        return FoundAsync();
    }

    [Fact]
    public async Task A_silo_that_lost_its_database_gets_a_new_peer_without_being_asked_for()
    {
        foreach ((string silo, long lost, long next) in ((string, long, long)[])[("b", 2, 4), ("a", 1, 5)])
        {
            await Silos.StopAsync(silo);
            await Silos.LoseDatabaseAsync(silo);
            await Silos.StartAsync(silo);
            await UntilAsync(
                () => Task.FromResult(Leader() is { } leader && Silos[leader].SettledLeader()?.Membership is { } membership
                    && membership.Find(new PeerId(lost)) is null && membership.ConfState.Voters.Contains(new PeerId(next))),
                () => $"peer {next} in the place of {lost}");
            await PutAsync(silo, "by itself");
        }
        await UntilVotersAreAsync(("a", 5), ("b", 4), ("c", 3));
    }

    [Fact]
    public async Task Nothing_is_replaced_without_a_quorum()
    {
        await Silos.StopAsync("a", "b");
        await Silos.LoseDatabaseAsync("a");
        await Silos.StartAsync("a");
        await NoticeAsync("a", "is lost");
        // Two of three are gone: nobody may decide anything, however long it takes.
        for (int look = 0; look < 8; look++)
        {
            await Task.Delay(500);
            Assert.Empty(Silos["a"].Peers);
            Assert.Null(Silos["c"].SettledLeader());
        }
        await Silos.StartAsync("b");
        await UntilVotersAreAsync(("a", 4), ("b", 2), ("c", 3));
    }
}
