using Coordinator.Raft;

namespace Coordinator.Replica.Storage;

/// <summary>Which peer of which group: the key of everything that is stored.</summary>
public readonly record struct PeerKey(int Group, PeerId Peer)
{
    public override string ToString() => $"{Group}/{Peer}";
}
