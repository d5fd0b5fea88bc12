using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>Who a peer is: its id and the storage that holds its promises (rule 1), and the silo configured for it.</summary>
public readonly record struct PeerRecord(PeerId Id, Guid StorageId, string Silo);

/// <summary>
/// A group's replicated membership. A peer id is used once for all time: <see cref="NextPeerId"/> is above every id
/// that the group ever had (rule 1).
/// </summary>
public sealed record GroupMembership
{
    public required Guid ClusterId { get; init; }

    public required int Group { get; init; }

    public required ConfState ConfState { get; init; }

    /// <summary>In the order of their ids.</summary>
    public required IReadOnlyList<PeerRecord> Peers { get; init; }

    public required PeerId NextPeerId { get; init; }

    /// <summary>Null: not a peer of the group now.</summary>
    public PeerRecord? Find(PeerId id)
    {
        foreach (PeerRecord peer in Peers)
        {
            if (peer.Id == id)
                return peer;
        }
        return null;
    }

    public bool Equals(GroupMembership? other) =>
        other is not null
        && ClusterId == other.ClusterId
        && Group == other.Group
        && NextPeerId == other.NextPeerId
        && ConfState.Equals(other.ConfState)
        && Peers.SequenceEqual(other.Peers);

    public override int GetHashCode() => Group;
}
