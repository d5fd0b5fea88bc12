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

/// <summary>A database that is a silo's and takes part in a cluster from here on.</summary>
internal sealed record JoiningCluster(Guid ClusterId, int Groups, StoredSilo Silo);

/// <summary>Which silo of a cluster a database belongs to.</summary>
/// <param name="StorageId">
/// Of the silo's peer in group 0, and what those of its other first peers are made of: random, stored before any other
/// silo is told of it (rule 1).
/// </param>
/// <param name="Bootstrap">Where its cluster began; null: it has not taken part in any.</param>
public sealed record StoredSilo(string SiloId, Guid StorageId, byte[]? Bootstrap);
