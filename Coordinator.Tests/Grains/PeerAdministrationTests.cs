using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Grains;

/// <summary>What operators ask of an embedded group, on a real PostgreSQL.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PeerAdministrationTests(PostgresServer server) : EmbeddedGroupScenario(server)
{
    private const int FollowerSilent = 3010;

    private readonly ConcurrentDictionary<int, int> _events = [];

    private protected override ReplicaOptions Replica => new() { TickUs = 20_000, LazyCommitUs = 100_000 };

    private protected override ILoggerFactory Logs => new EventLog(_events);

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await UntilAsync(() => Group.SettledLeader() is not null);
    }

    [Fact]
    public async Task AGroup_is_described_with_its_peers_and_the_failures_that_it_survives()
    {
        GroupDescription group = await DescribeAsync();

        Assert.Equal([1, 2, 3], group.Peers.Select(peer => peer.PeerId));
        Assert.All(group.Peers, peer => Assert.Equal(("voter", "test", ""), (peer.Role, peer.Silo, peer.Detail)));
        Assert.Equal("leader", group.Peers.Single(peer => peer.PeerId == group.LeaderPeerId).State);
        Assert.Equal(1, group.FailuresTolerated);

        Stop(Follower());
        await UntilAsync(() => Group.Gateway.GetStatus().FailuresTolerated == 0);
        group = await DescribeAsync();
        PeerDescription stopped = Assert.Single(group.Peers, peer => peer.State == "stopped");
        Assert.Equal((0, "stopped by the test"), (group.FailuresTolerated, stopped.Detail));
    }

    [Fact]
    public async Task Leadership_goes_to_the_peer_that_is_named_and_to_another_when_none_is()
    {
        foreach (long to in new long[] { 3, 1, 2, 2 })
        {
            ClusterAnswer named = await AskAsync(Transfer(to));
            Assert.Equal((ErrorCode.Ok, to), (named.Error, named.Group.LeaderPeerId));
        }
        ClusterAnswer any = await AskAsync(Transfer(0));
        Assert.Equal(ErrorCode.Ok, any.Error);
        Assert.NotEqual(2, any.Group.LeaderPeerId);
    }

    [Fact]
    public async Task Leadership_is_not_given_to_a_learner_a_stranger_or_one_that_is_down()
    {
        long learner = await AddAsync(Guid.NewGuid(), learner: true);
        PeerLoop stopped = Follower();
        Stop(stopped);
        await UntilAsync(() => stopped.Status.Service == ServiceState.Stopped);
        long leader = (await DescribeAsync()).LeaderPeerId;

        Assert.Equal(ErrorCode.PeerNotFound, (await AskAsync(Transfer(learner))).Error);
        Assert.Equal(ErrorCode.PeerNotFound, (await AskAsync(Transfer(99))).Error);
        Assert.Equal(ErrorCode.PeerChangeRefused, (await AskAsync(Transfer(stopped.Peer.Value))).Error);
        Assert.Equal(leader, (await DescribeAsync()).LeaderPeerId);
    }

    [Fact]
    public async Task A_peer_that_is_added_learns_and_then_votes_and_the_same_nonce_adds_no_other()
    {
        await PutAsync("before");
        var nonce = Guid.NewGuid();

        long peer = await AddAsync(nonce);
        await UntilMembersAreAsync([1, 2, 3, 4], []);

        Assert.Equal((4L, 4L), (peer, await AddAsync(nonce)));
        Assert.Equal(5, await AddAsync(Guid.NewGuid()));
        await UntilMembersAreAsync([1, 2, 3, 4, 5], []);
        Assert.Equal(2, (await DescribeAsync()).FailuresTolerated);
        await UntilAsync(() => AppliedBy(4) == AppliedBy(1) && AppliedBy(5) == AppliedBy(1));
    }

    [Fact]
    public async Task One_that_was_added_as_a_learner_never_votes_and_takes_no_lost_voters_place()
    {
        var nonce = Guid.NewGuid();
        Assert.Equal(4, await AddAsync(nonce, learner: true));
        Assert.Equal(ErrorCode.RequestMismatch, (await AskAsync(Add(nonce, learner: false))).Error);

        await ExecuteAsync("DELETE FROM coordinator.peer WHERE peer_id = 2");

        await UntilMembersAreAsync([1, 3, 5], [4]);
    }

    [Fact]
    public async Task An_addition_that_a_stop_cuts_short_is_finished_after_the_next_start()
    {
        // Nobody else takes a step as long as this is held.
        await Group.Changing.WaitAsync();
        try
        {
            ClusterAnswer added = await new PeerAdder(Group, TimeProvider.System, NullLogger.Instance).AddAsync(
                Add(Guid.NewGuid(), learner: false).AddPeer, CancellationToken.None);
            Assert.Equal((ErrorCode.Ok, 4L), (added.Error, added.PeerId));
            await UntilAsync(() => Membership() is { } now && now.ConfState.Learners.Contains(new PeerId(4)));
        }
        finally
        {
            Group.Changing.Release();
        }
        await Silo.DisposeAsync();
        Silo = await StartAsync();

        await UntilMembersAreAsync([1, 2, 3, 4], []);
    }

    [Fact]
    public async Task A_row_that_was_made_and_not_proposed_is_the_one_that_the_repeat_proposes()
    {
        var addition = new PeerAddition(new PeerKey(0, new PeerId(4)), Guid.NewGuid(), Guid.NewGuid(), StaysLearner: true);
        await Group.Changing.WaitAsync();
        try
        {
            await MakeAsync(addition.Key.Peer, addition.StorageId, addition);
            ClusterAnswer repeated = await new PeerAdder(Group, TimeProvider.System, NullLogger.Instance).AddAsync(
                Add(addition.Nonce, learner: true).AddPeer, CancellationToken.None);
            Assert.Equal((ErrorCode.Ok, 4L), (repeated.Error, repeated.PeerId));
        }
        finally
        {
            Group.Changing.Release();
        }

        await UntilMembersAreAsync([1, 2, 3], [4]);
        Assert.Equal(addition.StorageId, Membership()!.Find(new PeerId(4))!.Value.StorageId);
    }

    [Fact]
    public async Task A_peer_is_removed_once_and_its_rows_go()
    {
        var nonce = Guid.NewGuid();
        Assert.Equal(4, await AddAsync(nonce));
        await UntilMembersAreAsync([1, 2, 3, 4], []);

        Assert.Equal(ErrorCode.Ok, (await AskToRemoveAsync(4)).Error);
        Assert.Equal(ErrorCode.Ok, (await AskToRemoveAsync(4)).Error);
        Assert.Equal(ErrorCode.PeerNotFound, (await AskAsync(Remove(9))).Error);

        await UntilMembersAreAsync([1, 2, 3], []);
        // Its id is used up, and so is the operator's nonce.
        Assert.Equal(ErrorCode.PeerChangeRefused, (await AskAsync(Add(nonce, learner: false))).Error);
        Assert.Equal(5, await AddAsync(Guid.NewGuid(), learner: true));
    }

    [Fact]
    public async Task The_leader_is_removed_after_it_has_handed_over_and_the_last_voter_is_not()
    {
        foreach (int left in new[] { 2, 1 })
        {
            long leader = (await DescribeAsync()).LeaderPeerId;
            ClusterAnswer removed = await AskToRemoveAsync(leader);
            Assert.Equal((ErrorCode.Ok, ""), (removed.Error, removed.Message));
            Assert.NotEqual(leader, removed.Group.LeaderPeerId);
            await UntilAsync(() => Group.Peers.Count == left && Group.SettledLeader() is not null);
            await PutAsync($"with {left}");
        }
        ClusterAnswer last = await AskAsync(Remove((await DescribeAsync()).LeaderPeerId));
        Assert.Equal(ErrorCode.PeerChangeRefused, last.Error);
        await PutAsync("still");
    }

    [Fact]
    public async Task Removing_a_voter_that_the_quorum_needs_is_refused_and_changes_nothing()
    {
        PeerLoop stopped = Follower();
        Stop(stopped);
        await UntilAsync(() => stopped.Status.Service == ServiceState.Stopped);
        long other = Group.Peers.Select(peer => peer.Peer.Value)
            .Single(id => id != stopped.Peer.Value && id != Group.Gateway.GetStatus().LeaderId);

        // Until then the leader takes it for one that answers.
        await UntilAsync(() => _events.ContainsKey(FollowerSilent));
        ClusterAnswer refused = await AskAsync(Remove(other));

        Assert.Equal(ErrorCode.QuorumAtRisk, refused.Error);
        Assert.Equal(3, (await DescribeAsync()).Peers.Count);
    }

    [Fact]
    public async Task As_many_peers_as_may_be_can_be_added_and_no_more()
    {
        for (int peer = 4; peer <= Limits.PeersPerGroupMax; peer++)
            Assert.Equal(peer, await AddAsync(Guid.NewGuid(), learner: true));

        ClusterAnswer refused = await AskAsync(Add(Guid.NewGuid(), learner: true));

        Assert.Equal(ErrorCode.PeerChangeRefused, refused.Error);
        Assert.Equal(Limits.PeersPerGroupMax, (await DescribeAsync()).Peers.Count);
    }

    [Fact]
    public async Task AnotherGroup_and_a_stopped_one_are_refused_by_name()
    {
        ClusterAnswer other = await AskAsync(new ClusterRequest { Group = 1, Describe = new DescribeGroup() });
        Assert.Equal(ErrorCode.InvalidRequest, other.Error);
        await Silo.DisposeAsync();
        Assert.Equal(ErrorCode.Stopping, (await AskAsync(Transfer(1))).Error);
        Silo = await StartAsync();
    }

    [Fact]
    public async Task Of_a_peer_that_was_removed_nothing_is_kept()
    {
        long added = await AddAsync(Guid.NewGuid(), learner: true);
        await UntilAsync(() => Group.Find(new PeerId(added)) is not null);
        WeakReference peer = Reference(added);
        await UntilAsync(() => AppliedBy(added) > 0);

        await RemoveAsync(added);
        await UntilAsync(() => Group.Find(new PeerId(added)) is null);

        await UntilAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return !peer.IsAlive;
        });
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private WeakReference Reference(long peer) => new(Group.Find(new PeerId(peer)));

    private async Task RemoveAsync(long peer)
    {
        using var patience = new CancellationTokenSource(Patience);
        while ((await AskAsync(Remove(peer))).Error != ErrorCode.Ok)
            await Task.Delay(20, patience.Token);
    }

    private static ClusterRequest Transfer(long to) =>
        new() { TransferLeadership = new TransferLeadership { ToPeerId = to } };

    private static ClusterRequest Remove(long peer) => new() { RemovePeer = new RemovePeer { PeerId = peer } };

    private static ClusterRequest Add(Guid nonce, bool learner) => new()
    {
        AddPeer = new GrowGroup { Nonce = ByteString.CopyFrom(nonce.ToByteArray(bigEndian: true)), Learner = learner },
    };

    private Task<ClusterAnswer> AskAsync(ClusterRequest request) =>
        Group.Gateway.AdministerAsync(request, CancellationToken.None);

    /// <summary>A machine that stood still for a moment has heard nobody lately, and refuses: then it is asked again.</summary>
    private async Task<ClusterAnswer> AskToRemoveAsync(long peer)
    {
        ClusterAnswer answer = await AskAsync(Remove(peer));
        for (int more = 0; more < 20 && answer.Error == ErrorCode.QuorumAtRisk; more++)
        {
            await Task.Delay(100);
            answer = await AskAsync(Remove(peer));
        }
        return answer;
    }

    private async Task<GroupDescription> DescribeAsync() =>
        (await AskAsync(new ClusterRequest { Describe = new DescribeGroup() })).Group;

    /// <summary>Another change may not be finished yet: then it is asked again, with the same nonce.</summary>
    private async Task<long> AddAsync(Guid nonce, bool learner = false)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            ClusterAnswer answer = await AskAsync(Add(nonce, learner));
            if (answer.Error == ErrorCode.Ok)
                return answer.PeerId;
            Assert.Contains(answer.Error, new[] { ErrorCode.PeerChangeInProgress, ErrorCode.NoQuorum });
            await Task.Delay(20, patience.Token);
        }
    }

    private PeerLoop Follower() => Group.Peers.First(peer => peer.Peer.Value != Group.Gateway.GetStatus().LeaderId);

    private GroupMembership? Membership() => Group.SettledLeader()?.Membership;

    private Task UntilMembersAreAsync(long[] voters, long[] learners) => UntilAsync(() =>
        Membership() is { ConfState: { VotersOutgoing.Count: 0 } confState }
        && confState.Voters.Select(voter => voter.Value).SequenceEqual(voters)
        && confState.Learners.Select(learner => learner.Value).SequenceEqual(learners)
        && Group.Peers.Count == voters.Length + learners.Length);
}
