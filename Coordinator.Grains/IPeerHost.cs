using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains;

/// <summary>
/// A group as a host has it, to those who change its peers. A <i>place</i> is where a peer is stored for good, by the name in
/// its record: a silo with its own database, or, where every silo reaches every database, the database.
/// </summary>
internal interface IPeerHost
{
    int Group { get; }

    Guid ClusterId { get; }

    GroupGateway Gateway { get; }

    /// <summary>As changes of the group name in the log who made them.</summary>
    string Caller { get; }

    /// <summary>All peers are stored in one database, and run in this process: there are no other places.</summary>
    bool IsAlone { get; }

    TimeSpan LeaderTimeout { get; }

    /// <summary>How long a voter has to be lost until it is replaced by itself; null: it is not.</summary>
    TimeSpan? ReplaceLostAfter { get; }

    /// <summary>Those that run here: the same list as long as they are the same.</summary>
    IReadOnlyList<PeerLoop> Peers { get; }

    /// <summary>Counts changes of what is known here, those within the peers apart.</summary>
    long Version { get; }

    /// <summary>Held by whoever changes which peers are here, or has the group change its members: one at a time.</summary>
    SemaphoreSlim Changing { get; }

    GroupPicture Picture();

    LeadershipHandOver HandOver(TimeSpan limit);

    /// <summary>Of a peer that runs here, or that somebody tells of.</summary>
    string PlaceOf(PeerId peer);

    /// <summary>Where a new peer goes if nobody says; empty: nowhere.</summary>
    string DefaultPlace(GroupMembership membership, PeerId replaced);

    /// <summary>Why no peer can be made there now; null: one can.</summary>
    ClusterAnswer? Unusable(string place);

    /// <summary>As <see cref="PeerMaker"/>, wherever the place is.</summary>
    Task<PeerMade> MakeAsync(string place, PeerId id, PeerPurpose purpose, CancellationToken cancellationToken);

    /// <summary>
    /// Whether a member of which nothing is heard is not where it should be: its place has nothing of it. Null: nobody can
    /// tell now, and nobody will say when.
    /// </summary>
    ValueTask<bool?> IsGoneAsync(PeerRecord peer, CancellationToken cancellationToken);

    /// <summary>Stops a peer here that is known to be no member any longer, and deletes what is stored of it.</summary>
    Task DropAsync(PeerLoop peer, CancellationToken cancellationToken);

    /// <summary>After each look at the group.</summary>
    void TellNotice(GroupPicture picture);
}

internal static class PeerHosts
{
    public static PeerKey KeyOf(this IPeerHost host, PeerId peer) => new(host.Group, peer);

    /// <summary>Null: it does not run here.</summary>
    public static PeerLoop? Find(this IPeerHost host, PeerId peer) => host.Peers.FirstOrDefault(one => one.Peer == peer);

    /// <summary>
    /// The peer here that leads with a quorum and has applied all that it has committed: before that it might take a member
    /// that has just joined for none. Null: none, now.
    /// </summary>
    public static ReplicaStatus? SettledLeader(this IPeerHost host) => GroupPicture.SettledOf(host.Peers.Select(peer => peer.Status));
}
