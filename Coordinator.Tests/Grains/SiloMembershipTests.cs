using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Grains;

/// <summary>Peers of a cluster come and go, by what operators ask of any silo.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SiloMembershipTests(PostgresServer server) : SiloMembershipScenario(server)
{
    [Fact]
    public async Task A_silo_that_has_lost_its_database_gets_a_new_peer_by_one_command()
    {
        await LoseAsync("a");
        var nonce = Guid.NewGuid();

        Assert.Equal(4, await AddAsync("a", silo: "", replaces: 1, nonce));
        Assert.Equal(4, await AddAsync("b", silo: "", replaces: 1, nonce));
        await UntilVotersAreAsync(("a", 4), ("b", 2), ("c", 3));
        await NoticeAsync("a", null);
        await PutAsync("a", "replaced");
        // The whole again, when all is done; another one has nobody to replace.
        Assert.Equal(4, await AddAsync("c", silo: "", replaces: 1, nonce));
        Assert.Equal(ErrorCode.PeerNotFound, (await AskAsync("c", Add("", replaces: 1, Guid.NewGuid()))).Error);

        // It is as good as the first: it comes back, and the group goes on with it and one other.
        await Silos.StopAsync("a", "b");
        await Silos.StartAsync("a");
        await Silos.Joined("a").WaitAsync(Patience);
        await PutAsync("a", "with the new one");
    }

    [Fact]
    public async Task A_watch_goes_on_while_its_silos_peer_comes_and_goes()
    {
        await ExtendAsync("d");
        await NoticeAsync("d", "One can be added");
        using var leaving = new CancellationTokenSource(Patience);
        var watch = new Watch { Config = new WatchConfig { Key = "key", FromRevision = Silos["a"].Gateway.GetStatus().Revision + 1 } };
        await using IAsyncEnumerator<WatchPage> pages =
            Silos["d"].Gateway.WatchAsync(watch, leaving.Token).GetAsyncEnumerator(leaving.Token);
        await ToldAsync("by the leader's silo");

        await AddAsync("d", "d", replaces: 3);
        await UntilVotersAreAsync(("a", 1), ("b", 2), ("d", 4));
        await NoticeAsync("c", "One can be added");
        await ToldAsync("by its own peer");

        await AddAsync("a", "c", replaces: 4);
        await UntilVotersAreAsync(("a", 1), ("b", 2), ("c", 5));
        await ToldAsync("by the leader's silo again");

        async Task ToldAsync(string value)
        {
            await PutAsync("c", value);
            do
            {
                Assert.True(await pages.MoveNextAsync());
            }
            while (pages.Current is { Error: ErrorCode.Ok, Events: [] });
            Assert.Equal([value], pages.Current.Events.Select(change => change.Entry.Value.ToStringUtf8()));
        }
    }

    [Fact]
    public async Task Three_become_five_and_three_again_and_each_silo_that_leaves_forgets_its_peer_by_itself()
    {
        await ExtendAsync("d", "e");
        await AddAsync("d", "d");
        await AddAsync("b", "e");
        await UntilVotersAreAsync(("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5));
        await UntilToleratedAsync(5, 5, 2);
        await Silos.StopAsync("a", "b");
        await PutAsync("e", "without two");
        await UntilToleratedAsync(5, 3, 0);
        await Silos.StartAsync("a", "b");
        await UntilToleratedAsync(5, 5, 2);

        // One that is away when it is removed finds out when it is back.
        await Silos.StopAsync("a");
        await RemoveAsync("d", 1);
        await RemoveAsync("d", 1);
        await RemoveAsync("e", 2);
        await UntilVotersAreAsync(("c", 3), ("d", 4), ("e", 5));
        await UntilNothingIsStoredAsync("b");
        Assert.Equal(1, Assert.Single(await StoredPeersAsync("a")));
        await Silos.StartAsync("a");
        await Silos.Joined("a").WaitAsync(Patience);
        await UntilNothingIsStoredAsync("a");
        await PutAsync("a", "shrunk");
        await UntilToleratedAsync(3, 3, 1);

        // It starts without one, and may have one again, never the old one's id.
        await Silos.StopAsync("a");
        await Silos.StartAsync("a");
        await NoticeAsync("a", "One can be added");
        Assert.Equal(6, await AddAsync("c", "a"));
        await UntilVotersAreAsync(("a", 6), ("c", 3), ("d", 4), ("e", 5));
    }

    [Fact]
    public async Task A_leaders_peer_moves_to_another_silo_and_one_that_is_dead_is_replaced_there()
    {
        await ExtendAsync("d", "e");
        string leader = await LeaderAsync();
        long moved = PeerOf(leader).Peer.Value;
        string[] rest = [.. SilosInMemory.Ids.Where(silo => silo != leader)];

        await AddAsync(rest[0], "d", replaces: moved);
        await UntilVotersAreAsync([("d", 4), .. rest.Select(silo => (silo, PeerOf(silo).Peer.Value))]);
        await UntilNothingIsStoredAsync(leader);
        await PutAsync(leader, "moved");

        long dead = PeerOf(rest[0]).Peer.Value;
        await Silos.StopAsync(rest[0]);
        await AddAsync(leader, "e", replaces: dead);
        await UntilVotersAreAsync(("d", 4), ("e", 5), (rest[1], PeerOf(rest[1]).Peer.Value));
        await Silos.StartAsync(rest[0]);
        await UntilNothingIsStoredAsync(rest[0]);
        await PutAsync(rest[0], "replaced");
    }

    [Fact]
    public async Task The_only_voter_moves_too()
    {
        await ExtendAsync("d");
        string leader = await LeaderAsync();
        foreach (string silo in SilosInMemory.Ids.Where(silo => silo != leader))
            await RemoveAsync("d", PeerOf(silo).Peer.Value);
        await UntilVotersAreAsync((leader, PeerOf(leader).Peer.Value));

        await AddAsync("d", "d", replaces: PeerOf(leader).Peer.Value);
        await UntilVotersAreAsync(("d", 4));
        await PutAsync(leader, "moved");
    }

    [Fact]
    public async Task What_cannot_be_is_refused_by_name_and_changes_nothing()
    {
        await ExtendAsync("d", "e");
        await Silos.StopAsync("e");
        string leader = await LeaderAsync();
        string[] followers = [.. SilosInMemory.Ids.Where(silo => silo != leader)];
        foreach (string asked in Five.Where(Silos.IsUp))
        {
            await RefusedAsync(asked, Add("x", 0, Guid.NewGuid()), ErrorCode.SiloNotFound, "no silo x");
            await RefusedAsync(asked, Add("", 0, Guid.NewGuid()), ErrorCode.SiloNotFound, "\"silo\"");
            await RefusedAsync(asked, Add("e", 0, Guid.NewGuid()), ErrorCode.SiloUnreachable, "Silo e");
            await RefusedAsync(asked, Add("b", 0, Guid.NewGuid()), ErrorCode.PeerChangeRefused, "has peer 2");
            await RefusedAsync(asked, Add("d", 99, Guid.NewGuid()), ErrorCode.PeerNotFound, "no voter");
            await RefusedAsync(asked, Remove(99), ErrorCode.PeerNotFound, "");
        }
        var nonce = Guid.NewGuid();
        Assert.Equal(4, await AddAsync(leader, "d", nonce: nonce, learner: true));
        await RefusedAsync(leader, Add("d", 0, nonce), ErrorCode.RequestMismatch, "learner");
        await RefusedAsync(leader, Add("b", 0, nonce, learner: true), ErrorCode.RequestMismatch, "silo d");
        await RefusedAsync(leader, Add("d", 0, Guid.NewGuid()), ErrorCode.PeerChangeRefused, "has peer 4");
        await RefusedAsync(leader, Add("d", 4, Guid.NewGuid()), ErrorCode.PeerNotFound, "no voter");

        // With one of three away, the other two are needed.
        await Silos.StopAsync(followers[0]);
        await UntilAsync(
            async () => (await AskAsync("d", Remove(PeerOf(followers[1]).Peer.Value))).Error == ErrorCode.QuorumAtRisk,
            () => "removing what the quorum needs is refused");
        Assert.Equal([1, 2, 3, 4], (await MembershipAsync()).Peers.Select(peer => peer.Id.Value));
    }

    [Fact]
    public async Task A_second_replacement_waits_for_the_first()
    {
        await ExtendAsync("d", "e");
        // The one that is to take the place never hears that it is a member, and doesn't catch up.
        string leader = await LeaderAsync();
        long replaced = PeerOf(SilosInMemory.Ids.First(silo => silo != leader)).Peer.Value;
        Assert.Equal(4, await AddAsync("e", "d", replaces: replaced));
        ClusterAnswer second = await AskAsync("e", Add("e", replaced, Guid.NewGuid()));
        Assert.Contains(second.Error, new[] { ErrorCode.PeerChangeInProgress, ErrorCode.PeerNotFound });
        await UntilAsync(
            async () => await MembershipAsync() is { Peers.Count: 3 } membership && membership.ConfState.Voters.Contains(new PeerId(4)),
            () => "the first is done");
    }

    private Task UntilToleratedAsync(int voters, int caughtUp, int tolerated) => UntilAsync(
        () => Task.FromResult(Five.Where(Silos.IsUp).Select(silo => Silos[silo].Gateway.GetStatus())
            .All(status => (status.Voters, status.VotersCaughtUp, status.FailuresTolerated) == (voters, caughtUp, tolerated))),
        () => $"{caughtUp} of {voters} voters have caught up, {tolerated} may be lost");

    private async Task RefusedAsync(string asked, ClusterRequest request, ErrorCode code, string text)
    {
        ClusterAnswer answer = new();
        await UntilAsync(
            async () => (answer = await AskAsync(asked, request)).Error is not (ErrorCode.NotLeader or ErrorCode.NoQuorum or ErrorCode.PeerChangeInProgress),
            () => answer.Error.ToString());
        Assert.Equal(code, answer.Error);
        Assert.Contains(text, answer.Message, StringComparison.Ordinal);
    }

    private async Task LoseAsync(string silo)
    {
        await Silos.StopAsync(silo);
        await Silos.LoseDatabaseAsync(silo);
        await Silos.StartAsync(silo);
        await NoticeAsync(silo, "is lost");
    }
}
