using Coordinator.Raft;

namespace Coordinator.Replica.Storage;

/// <summary>All that storage holds of a peer, read after its activation committed (rule 2), checksums verified.</summary>
/// <param name="StorageId">Given at bootstrap, random, listed in the replicated configuration (rule 1).</param>
/// <param name="Snapshot">Data, index and term; its ConfState is inside the data. Every peer has one from bootstrap on.</param>
/// <param name="Entries">Contiguous; may begin at or before the snapshot's index (the tail kept for slow followers).</param>
public sealed record LoadedPeer(
    PeerKey Key,
    Guid StorageId,
    long Epoch,
    long WriteSeq,
    HardState HardState,
    StoredSnapshot Snapshot,
    IReadOnlyList<Entry> Entries)
{
    /// <summary>What this peer has seen of the others' storage.</summary>
    public IReadOnlyList<PeerSighting> Sightings { get; init; } = [];

    /// <summary>Of the database that all this was read from.</summary>
    public DatabaseMoment Moment { get; init; }
}

public sealed record StoredSnapshot(SnapshotPointer Pointer, ReadOnlyMemory<byte> Data);
