using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Replica.State;

namespace Coordinator.Tests.Backup;

/// <summary>What a founder decides of a cluster that is restored, and what each silo makes of its own files by that.</summary>
public sealed class RestoredBootstrapTests
{
    private const int Groups = 2;
    private static readonly Guid Cluster = Guid.NewGuid();
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);
    private static readonly StoredSilo[] Silos = [.. "abc".Select(id => new StoredSilo($"{id}", Guid.NewGuid(), null))];

    [Fact]
    public void Each_silo_makes_the_same_first_states_with_its_own_storage()
    {
        ClusterBootstrap founded = Found(Restore());
        NewPeer[][] made = [.. Silos.Select(silo => RestoredBootstrap.PeersOf(founded, silo, Restore()).ToArray())];
        Assert.Equal(made[1].Select(peer => peer.Key), GroupBootstrap.FirstPeersOf(founded, "b"));
        Assert.Empty(GroupBootstrap.FirstPeersOf(founded, "d"));
        for (int group = 0; group < Groups; group++)
        {
            NewPeer[] peers = [.. made.Select(silo => silo[group])];
            Assert.All(peers, peer => Assert.True(peer.SnapshotData.Span.SequenceEqual(peers[0].SnapshotData.Span)));
            Assert.Equal([1, 2, 3], peers.Select(peer => peer.Key.Peer.Value));
            Assert.Equal(Silos.Select(silo => GroupBootstrap.StorageIdOf(silo.StorageId, group)), peers.Select(peer => peer.StorageId));
            var state = CoordinationState.ReadSnapshot(peers[1].SnapshotData);
            Assert.Equal((Now.ToUnixTimeMilliseconds() * 1000, group), (state.Revision, state.Membership.Group));
            Assert.Equal(founded.Index, state.AppliedIndex);
            Assert.Equal(Silos.Select(silo => silo.SiloId), state.Membership.Peers.Select(peer => peer.Silo));
            Assert.Equal(state.LogTimeUs + 7_000_000, StateContents.Of(state).HeldBackUntilUs);
        }
    }

    [Fact]
    public void A_silo_that_is_listed_with_another_storage_has_no_part()
    {
        ClusterBootstrap founded = Found(Restore());
        Assert.All(Silos, silo => Assert.True(GroupBootstrap.Lists(founded, silo)));
        Assert.False(GroupBootstrap.Lists(founded, Silos[0] with { StorageId = Guid.NewGuid() }));
        Assert.False(GroupBootstrap.Lists(founded, Silos[0] with { SiloId = "d" }));
    }

    [Fact]
    public void A_silo_that_would_make_another_state_makes_none()
    {
        GroupStartException refused = Assert.Throws<GroupStartException>(
            () => RestoredBootstrap.PeersOf(Found(Restore()), Silos[1], Restore("green")));
        Assert.Contains("another first state of group 1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_two_silos_are_to_restore_differently_is_said()
    {
        RestoreOrder own = Order(Restore());
        Assert.Null(RestoreAgreement.Between("c", Order(Restore()), own));
        Assert.Null(RestoreAgreement.Between("c", null, null));
        Assert.Contains("Silo c is to restore nothing, this one group 0 of the file", RestoreAgreement.Between("c", null, own), StringComparison.Ordinal);
        Assert.Contains("Silo c is to restore group 0", RestoreAgreement.Between("c", own, null), StringComparison.Ordinal);
        Assert.Contains("Silo c is to restore group 1 of the file", Differs(Restore("green")), StringComparison.Ordinal);
        Assert.Contains("with --floor 5, this one with --floor 0", Differs(Restore() with { Floor = 5 }), StringComparison.Ordinal);
        Assert.Contains(
            "with --hold-back 1.00:01:00, this one with --hold-back 00:00:07", Differs(Restore() with { HoldBack = null }), StringComparison.Ordinal);
        string? Differs(ClusterRestore theirs) => RestoreAgreement.Between("c", Order(theirs), own);
    }

    [Fact]
    public void Who_has_no_first_peer_to_make_needs_no_file()
    {
        ClusterBootstrap restored = Found(Restore());
        Assert.Null(RestoreAgreement.With(restored, own: null, isListed: false));
        Assert.Contains("--restore", RestoreAgreement.With(restored, own: null, isListed: true), StringComparison.Ordinal);
        Assert.Null(RestoreAgreement.With(restored, Order(Restore()), isListed: true));
        Assert.Null(RestoreAgreement.With(restored, Order(Restore()), isListed: false));
        Assert.NotNull(RestoreAgreement.With(restored, Order(Restore("green")), isListed: false));
        var empty = new ClusterBootstrap { ClusterId = restored.ClusterId };
        Assert.Null(RestoreAgreement.With(empty, own: null, isListed: true));
        Assert.Contains("has restored nothing", RestoreAgreement.With(empty, Order(Restore()), isListed: false), StringComparison.Ordinal);
    }

    private static ClusterBootstrap Found(ClusterRestore restore) =>
        RestoredBootstrap.Create(restore, [.. Silos.Select(silo => (silo.SiloId, silo.StorageId))], Now);

    private static RestoreOrder Order(ClusterRestore restore) => RestoredBootstrap.OrderOf(restore)!;

    /// <param name="colour">In group 1.</param>
    private static ClusterRestore Restore(string colour = "blue") => new()
    {
        Files =
        [
            SavedStates.FileOf(0, Cluster, SavedStates.KeyOf(0, Groups)), SavedStates.FileOf(1, Cluster, SavedStates.KeyOf(1, Groups), colour),
        ],
        HoldBack = TimeSpan.FromSeconds(7),
    };
}
