using Coordinator.Raft;

namespace Coordinator.Replica.Storage;

/// <summary>What a peer has heard of another one's storage, in that one's own words.</summary>
public readonly record struct PeerSighting(PeerId Peer, StorageMark Mark);
