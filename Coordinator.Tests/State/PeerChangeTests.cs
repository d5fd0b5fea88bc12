using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

/// <summary>What a membership entry makes of the group's peers (rule 1). The group begins with the voters 1, 2 and 3.</summary>
public sealed class PeerChangeTests
{
    private readonly Group _group = new();

    private GroupMembership Now => _group.State.Membership;

    [Fact]
    public void A_peer_joins_as_a_learner_with_its_storage()
    {
        ApplyResult result = _group.ChangePeers(Group.Add(4));

        Assert.Equal(Outcome.Done, result.Result.Outcome);
        Assert.True(_group.Effects.PeersChanged);
        Assert.Equal(Ids(4), Now.ConfState.Learners);
        Assert.Equal(new PeerRecord(new PeerId(4), new Guid([.. Enumerable.Repeat((byte)4, 16)]), "silo-4"), Now.Find(new PeerId(4)));
        Assert.Equal(new PeerId(5), Now.NextPeerId);
    }

    [Fact]
    public void A_learner_is_promoted_a_voter_demoted()
    {
        _group.ChangePeers(Group.Add(4));
        _group.ChangePeers(Group.Promote(4));
        Assert.Equal(Ids(1, 2, 3, 4), Now.ConfState.Voters);

        _group.ChangePeers(Group.Demote(1));
        Assert.Equal(Ids(2, 3, 4), Now.ConfState.Voters);
        Assert.Equal(Ids(1), Now.ConfState.Learners);
    }

    [Fact]
    public void Several_voters_change_jointly_and_whoever_left_is_listed_until_the_joint_membership_is_left()
    {
        _group.ChangePeers(Group.Add(4));
        _group.ChangePeers(Group.Promote(4), Group.Remove(1));

        Assert.Equal(Ids(2, 3, 4), Now.ConfState.Voters);
        Assert.Equal(Ids(1, 2, 3), Now.ConfState.VotersOutgoing);
        Assert.True(Now.ConfState.AutoLeave);
        Assert.NotNull(Now.Find(new PeerId(1)));

        _group.LeaveJoint();
        Assert.Empty(Now.ConfState.VotersOutgoing);
        Assert.Null(Now.Find(new PeerId(1)));
    }

    [Fact]
    public void A_peer_id_is_used_once()
    {
        _group.ChangePeers(Group.Add(9));
        _group.ChangePeers(Group.Remove(9));

        Assert.Equal(new PeerId(10), Now.NextPeerId);
        Group.IsRefused(_group.ChangePeers(Group.Add(9)), ErrorCode.PeerChangeRefused);
        Group.IsRefused(_group.ChangePeers(Group.Add(4)), ErrorCode.PeerChangeRefused);
        Assert.False(_group.Effects.PeersChanged);
    }

    [Fact]
    public void A_storage_belongs_to_one_peer()
    {
        _group.ChangePeers(Group.Add(4));

        Group.IsRefused(_group.ChangePeers(Group.Add(5, storage: 4)), ErrorCode.PeerChangeRefused);
    }

    [Theory]
    [MemberData(nameof(Repeatable))]
    public void A_repeated_change_is_done_and_changes_nothing(PeerChange[] changes)
    {
        _group.ChangePeers(Group.Add(4));
        _group.ChangePeers(changes);
        if (Now.ConfState.VotersOutgoing.Count > 0)
            _group.LeaveJoint();
        GroupMembership before = Now;

        Assert.Equal(Outcome.Done, _group.ChangePeers(changes).Result.Outcome);
        Assert.False(_group.Effects.PeersChanged);
        Assert.Same(before, Now);
    }

    public static TheoryData<PeerChange[]> Repeatable() => new()
    {
        new[] { Group.Add(5) },
        new[] { Group.Add(5, voter: true), Group.Remove(1) },
        new[] { Group.Promote(4) },
        new[] { Group.Demote(2) },
        new[] { Group.Remove(3) },
        new[] { Group.Promote(4), Group.Demote(1), Group.Remove(2) },
    };

    [Fact]
    public void No_second_change_while_the_membership_is_joint()
    {
        _group.ChangePeers(Group.Add(4, voter: true), Group.Remove(1));

        Group.IsRefused(_group.ChangePeers(Group.Add(5)), ErrorCode.PeerChangeInProgress);
    }

    [Fact]
    public void The_last_voter_stays()
    {
        ApplyResult refused = _group.ChangePeers(Group.Remove(1), Group.Remove(2), Group.Remove(3));

        Group.IsRefused(refused, ErrorCode.PeerChangeRefused);
        Assert.Equal(Ids(1, 2, 3), Now.ConfState.Voters);
    }

    [Fact]
    public void Who_is_not_there_cannot_change()
    {
        Group.IsRefused(_group.ChangePeers(Group.Promote(4)), ErrorCode.PeerNotFound);
        Group.IsRefused(_group.ChangePeers(Group.Demote(4)), ErrorCode.PeerNotFound);
        Group.IsRefused(_group.ChangePeers(Group.Remove(4)), ErrorCode.PeerNotFound);
    }

    [Fact]
    public void A_change_of_peers_in_an_ordinary_entry_is_refused()
    {
        var command = new Command { ChangePeers = new ChangePeers { Changes = { Group.Remove(1) } } };

        Group.IsRefused(_group.Apply(command), ErrorCode.PeerChangeRefused);
        Assert.Equal(Ids(1, 2, 3), Now.ConfState.Voters);
    }

    [Fact]
    public void Leaving_a_membership_that_is_not_joint_does_nothing()
    {
        _group.LeaveJoint();

        Assert.False(_group.Effects.PeersChanged);
        Assert.Equal(2, _group.LastIndex);
    }

    [Fact]
    public void The_hash_tells_memberships_apart()
    {
        var other = new Group();
        _group.ChangePeers(Group.Add(4));
        other.ChangePeers(Group.Add(4, storage: 7));

        Assert.NotEqual(_group.State.Hash, other.State.Hash);
    }

    [Fact]
    public void A_blank_state_survives_its_snapshot()
    {
        var blank = new Group(CoordinationState.CreateBlank(Guid.NewGuid(), 3));

        CoordinationState copy = CoordinationState.ReadSnapshot(blank.Snapshot());

        Assert.Equal((0, Term.Zero, 0), (copy.AppliedIndex, copy.AppliedTerm, copy.Membership.Peers.Count));
    }

    private static PeerId[] Ids(params long[] ids) => [.. ids.Select(id => new PeerId(id))];
}
