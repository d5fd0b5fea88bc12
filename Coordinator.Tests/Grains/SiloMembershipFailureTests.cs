using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Tests.Postgres;
using Google.Protobuf;

namespace Coordinator.Tests.Grains;

/// <summary>Peers of a cluster come and go while silos die in the middle of it.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SiloMembershipFailureTests(PostgresServer server) : SiloMembershipScenario(server)
{
    private readonly Guid _nonce = Guid.NewGuid();

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await ExtendAsync("d", "e");
    }

    [Fact]
    public async Task A_leaders_silo_that_dies_before_it_asks_has_begun_nothing()
    {
        (string leader, string other) = await LeaderAndOtherAsync();
        Task? killed = null;
        Silos.Interfere = (own, _, request) => request.MakePeer is null || own != leader
            ? null
            : Killed(ref killed, leader, SilosInMemory.Failure(ErrorCode.NoQuorum));
        await AskAsync(leader, Add("d", 0, _nonce));
        await killed!;
        Silos.Interfere = (_, _, _) => null;
        await PutAsync(other, "another one leads");
        Assert.Empty(await StoredPeersAsync("d"));

        Assert.Equal(4, await AddAsync(other, "d", nonce: _nonce));
    }

    [Fact]
    public async Task A_peer_that_was_made_when_the_leaders_silo_died_is_proposed_by_the_next()
    {
        (string leader, string other) = await LeaderAndOtherAsync();
        await DieAfterMakingAsync(leader, Add("d", 0, _nonce));

        await UntilMemberAsync(other, 4);
        Assert.Equal(4, await AddAsync(other, "d", nonce: _nonce));
        await Silos.StartAsync(leader);
        await UntilVotersAreAsync(("a", 1), ("b", 2), ("c", 3), ("d", 4));
    }

    [Fact]
    public async Task The_repeat_proposes_the_same_peer_when_the_leaders_silo_is_back_with_the_others()
    {
        (string leader, string other) = await LeaderAndOtherAsync();
        Silos.Swallow = (_, _, request) =>
            request.MakePeer is null ? null : SilosInMemory.Failure(ErrorCode.OutcomeUnknown);
        Assert.Equal(ErrorCode.OutcomeUnknown, (await AskAsync(other, Add("d", 0, _nonce))).Error);
        Silos.Swallow = (_, _, _) => null;
        Guid made = PeerOf("d").StorageId;

        Assert.Equal(4, await AddAsync(other, "d", nonce: _nonce));
        Assert.Equal(made, (await MembershipAsync()).Find(new PeerId(4))!.Value.StorageId);
    }

    [Fact]
    public async Task A_replacement_that_a_leaders_death_cuts_short_is_finished_by_the_next()
    {
        (string leader, string other) = await LeaderAndOtherAsync();
        string[] rest = [.. SilosInMemory.Ids.Where(silo => silo != leader)];
        long replaced = PeerOf(leader).Peer.Value;
        // It is the leader's own peer that is replaced, so the dead silo is one that the group is to go on without.
        Assert.Equal(4, await AddAsync(other, "d", replaces: replaced, _nonce));
        await Silos.StopAsync(leader);

        await UntilVotersAreAsync([("d", 4), .. rest.Select(silo => (silo, PeerOf(silo).Peer.Value))]);
        await Silos.StartAsync(leader);
        await UntilNothingIsStoredAsync(leader);
        Assert.Equal(4, await AddAsync(other, "d", replaces: replaced, _nonce));
    }

    [Fact]
    public async Task A_leader_that_dies_between_the_old_members_and_the_new_ones_leaves_the_next_one_to_finish()
    {
        (string leader, string replaced) = await LeaderAndOtherAsync();
        string stays = SilosInMemory.Ids.First(silo => silo != leader && silo != replaced);
        // Nobody hears from this leader that the old members are done with.
        Silos.Lose = (silo, envelope) => silo == leader && envelope.Message.Entries.Any(
            entry => entry is { Type: EntryType.ConfChangeV2, Data.IsEmpty: true });
        Assert.Equal(4, await AddAsync(leader, "d", replaces: PeerOf(replaced).Peer.Value, _nonce));
        await UntilAsync(
            () => Task.FromResult(PeerOf(stays).Status.Membership.ConfState.VotersOutgoing.Count > 0),
            () => $"{stays} knows the old members and the new ones");
        await Silos.StopAsync(leader);
        Silos.Lose = (_, _) => false;

        (string, long)[] voters = [(leader, Number(leader)), (stays, Number(stays)), ("d", 4)];
        await Silos.StartAsync(leader);
        await UntilVotersAreAsync(voters);
        await UntilNothingIsStoredAsync(replaced);
        await PutAsync(replaced, "through the silo that has none");

        static long Number(string silo) => silo[0] - 'a' + 1;
    }

    [Fact]
    public async Task A_silo_that_dies_with_a_peer_that_was_just_made_goes_on_with_it()
    {
        (string leader, string other) = await LeaderAndOtherAsync();
        Task? killed = null;
        Silos.Swallow = (_, silo, request) => request.MakePeer is null
            ? null
            : Killed(ref killed, silo, SilosInMemory.Failure(ErrorCode.OutcomeUnknown));
        Assert.Equal(ErrorCode.OutcomeUnknown, (await AskAsync(other, Add("d", 0, _nonce))).Error);
        await killed!;
        Silos.Swallow = (_, _, _) => null;
        Assert.Equal(4, Assert.Single(await StoredPeersAsync("d")));
        Assert.Null((await MembershipAsync()).Find(new PeerId(4)));

        await Silos.StartAsync("d");
        await UntilVotersAreAsync(("a", 1), ("b", 2), ("c", 3), ("d", 4));
        Assert.Equal(4, await AddAsync(other, "d", nonce: _nonce));
    }

    [Fact]
    public async Task Two_silos_that_were_made_a_peer_with_one_id_keep_one_of_them()
    {
        (string leader, _) = await LeaderAndOtherAsync();
        foreach (string silo in (string[])["d", "e"])
        {
            ForwardedAnswer made = await Silos[silo].AnswerAsync(Make(4), CancellationToken.None);
            Assert.Equal((ErrorCode.Ok, 4L), (made.PeerMade.Error, made.PeerMade.PeerId));
        }

        await UntilMemberAsync(leader, 4);
        string kept = (await MembershipAsync()).Find(new PeerId(4))!.Value.Silo;
        await UntilNothingIsStoredAsync(kept == "d" ? "e" : "d");
        await UntilVotersAreAsync(("a", 1), ("b", 2), ("c", 3), (kept, 4));
    }

    [Fact]
    public async Task An_order_of_an_earlier_leader_that_comes_late_makes_nobodys_peer_and_leaves_nothing()
    {
        ForwardedAnswer late = await Silos["d"].AnswerAsync(Make(2), CancellationToken.None);
        Assert.Equal((ErrorCode.Ok, 2L), (late.PeerMade.Error, late.PeerMade.PeerId));

        await UntilNothingIsStoredAsync("d");
        await PutAsync("d", "as before");
        Assert.Equal(4, await AddAsync("d", "d", nonce: _nonce));
        await UntilVotersAreAsync(("a", 1), ("b", 2), ("c", 3), ("d", 4));
    }

    [Fact]
    public async Task An_order_of_another_cluster_makes_nothing()
    {
        ForwardedRequest foreign = Make(4);
        foreign.MakePeer.ClusterId = ByteString.CopyFrom(Guid.NewGuid().ToByteArray());
        ForwardedAnswer refused = await Silos["d"].AnswerAsync(foreign, CancellationToken.None);
        Assert.Equal(ErrorCode.SiloUnreachable, refused.PeerMade.Error);
        Assert.Empty(await StoredPeersAsync("d"));
    }

    [Fact]
    public async Task A_learner_whose_database_is_lost_is_taken_out_and_the_repeat_makes_another()
    {
        (_, string other) = await LeaderAndOtherAsync();
        Assert.Equal(4, await AddAsync(other, "d", nonce: _nonce, learner: true));
        await Silos.StopAsync("d");
        await Silos.LoseDatabaseAsync("d");
        await Silos.StartAsync("d");

        await UntilVotersAreAsync(("a", 1), ("b", 2), ("c", 3));
        Assert.Equal(5, await AddAsync(other, "d", nonce: _nonce, learner: true));
        await UntilMemberAsync(other, 5);
    }

    [Fact]
    public async Task A_peer_of_a_silo_that_is_away_is_never_taken_for_lost()
    {
        (_, string other) = await LeaderAndOtherAsync();
        Assert.Equal(4, await AddAsync(other, "d", learner: true));
        await Silos.StopAsync("d");
        // Several looks of the leader's later it is a member still.
        for (int look = 0; look < 8; look++)
        {
            await PutAsync(other, $"look {look}");
            await Task.Delay(500);
        }
        await UntilMemberAsync(other, 4);
        Assert.Equal(4, Assert.Single(await StoredPeersAsync("d")));
    }

    private async Task DieAfterMakingAsync(string leader, ClusterRequest request)
    {
        Task? killed = null;
        Silos.Swallow = (own, _, forwarded) => forwarded.MakePeer is null || own != leader
            ? null
            : Killed(ref killed, leader, SilosInMemory.Failure(ErrorCode.OutcomeUnknown));
        await AskAsync(leader, request);
        await killed!;
        Silos.Swallow = (_, _, _) => null;
    }

    /// <summary>From the middle of a request: nobody can wait for its end there.</summary>
    private ForwardedAnswer Killed(ref Task? killed, string silo, ForwardedAnswer answer)
    {
        killed ??= Task.Run(() => Silos.StopAsync(silo));
        return answer;
    }

    private ForwardedRequest Make(long peer) => new()
    {
        MakePeer = new MakePeer
        {
            PeerId = peer,
            ClusterId = ByteString.CopyFrom(Silos["a"].ClusterId.ToByteArray()),
            Purpose = new PeerPurpose { Nonce = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()) },
        },
    };

    private Task UntilMemberAsync(string asked, long peer) => UntilAsync(
        async () => (await AskAsync(asked, new ClusterRequest { Describe = new DescribeGroup() })).Group?.Peers
            .Any(one => one.PeerId == peer) == true,
        () => $"peer {peer} is a member");

    private async Task<(string Leader, string Other)> LeaderAndOtherAsync()
    {
        string leader = await LeaderAsync();
        return (leader, SilosInMemory.Ids.First(silo => silo != leader));
    }
}
