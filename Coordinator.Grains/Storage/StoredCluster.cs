using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>What a database says of the cluster that it belongs to (rule 1): written once, at bootstrap.</summary>
/// <param name="Peers">The peers stored in this database, in key order; the cluster may have more elsewhere.</param>
public sealed record StoredCluster(Guid ClusterId, int Groups, IReadOnlyList<StoredPeer> Peers);

public sealed record StoredPeer(PeerKey Key, Guid StorageId);

/// <summary>A peer's first state.</summary>
/// <param name="StorageId">Random; listed beside the peer id in the replicated configuration.</param>
/// <param name="HardState">Its commit index is the snapshot's index: the log is empty.</param>
public sealed record NewPeer(
    PeerKey Key,
    Guid StorageId,
    HardState HardState,
    long SnapshotIndex,
    Term SnapshotTerm,
    ReadOnlyMemory<byte> SnapshotData);
