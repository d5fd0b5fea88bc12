using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>A peer was to be added where it has a row already (rule 1). Nothing was changed.</summary>
public sealed class PeerExistsException(PeerKey key, Guid? storageId)
    : Exception($"Peer {key} is stored already: a peer is added once, under a new id.")
{
    /// <summary>
    /// Of the stored peer: the one that was to be added if an earlier try, whose answer was lost, did it. Null: removed
    /// meanwhile.
    /// </summary>
    public Guid? StorageId { get; } = storageId;
}
