using Coordinator.Raft;

namespace Coordinator.Replica.Storage;

/// <summary>
/// One fenced write of one peer: HardState, log tail, snapshot pointer and compaction, all or nothing.
/// It lands only on a row with this <see cref="Epoch"/> and <c>write_seq = WriteSeq - 1</c>, a term not above and a
/// commit index not above the new ones, and no other vote in the same term (rule 3).
/// </summary>
public sealed record PeerWrite
{
    public required PeerKey Key { get; init; }

    /// <summary>The activation that writes.</summary>
    public required long Epoch { get; init; }

    /// <summary>The number that this write gives the row; the row must hold the one before.</summary>
    public required long WriteSeq { get; init; }

    /// <summary>Always the whole HardState; its commit index is at most the last index stored after this write.</summary>
    public required HardState HardState { get; init; }

    /// <summary>
    /// Entries to append, contiguous, possibly none. All stored entries from the first one's index on are removed
    /// first; that index is above the stored commit index.
    /// </summary>
    public IReadOnlyList<Entry> Entries { get; init; } = [];

    /// <summary>Switches the peer to a snapshot whose chunks have been written under (epoch, snapshot id).</summary>
    public SnapshotPointer? Snapshot { get; init; }

    /// <summary>
    /// With <see cref="Snapshot"/> from a leader: the whole stored log goes before <see cref="Entries"/> are appended.
    /// </summary>
    public bool ReplaceLog { get; init; }

    /// <summary>What the peer has seen of the others' storage, in the place of what is stored of that; null: as it was.</summary>
    public IReadOnlyList<PeerSighting>? Sightings { get; init; }

    /// <summary>Remove stored entries up to and with this index; 0: none. At most the snapshot's index.</summary>
    public long CompactThrough { get; init; }
}

/// <summary>Names a snapshot in storage. The switch to it is one field of one fenced write.</summary>
/// <param name="Epoch">The activation that wrote the chunks.</param>
/// <param name="Id">Counts up within an activation.</param>
/// <param name="Chunks">How many chunks hold its bytes.</param>
/// <param name="Bytes">Length of the data.</param>
public sealed record SnapshotPointer(long Epoch, long Id, long Index, Term Term, int Chunks, long Bytes)
{
    /// <summary>Every chunk but the last has this many bytes (rule 8).</summary>
    public const int ChunkBytes = 1024 * 1024;

    /// <summary>How many chunks hold <paramref name="bytes"/> bytes.</summary>
    public static int ChunksOf(long bytes) => checked((int)((bytes + ChunkBytes - 1) / ChunkBytes));
}
