using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Simulation.Storage;

/// <summary>What one peer has in a database: its row, its log rows, its snapshot chunks.</summary>
internal sealed class SimulatedRow
{
    public required PeerKey Key { get; init; }

    public required Guid StorageId { get; init; }

    public long Epoch { get; set; }

    /// <summary>The try that took the row last: how a lost answer to one's own try is told from a take-over.</summary>
    public long ActivationMark { get; set; }

    public long WriteSeq { get; set; }

    public HardState HardState { get; set; }

    public required SnapshotPointer Pointer { get; set; }

    public List<Entry> Log { get; init; } = [];

    public IReadOnlyList<PeerSighting> Sightings { get; set; } = [];

    public SortedDictionary<(long Epoch, long Id), ReadOnlyMemory<byte>> Chunks { get; init; } = [];

    /// <summary>A transaction holds the row's lock until then.</summary>
    public long LockedUntilUs { get; set; }

    public long LastIndex => Log.Count > 0 ? Log[^1].Index : Pointer.Index;

    /// <summary>The term of a stored entry, or of the snapshot; null: not stored.</summary>
    public Term? TermAt(long index)
    {
        if (Log.Count > 0 && index >= Log[0].Index && index <= Log[^1].Index)
            return Log[(int)(index - Log[0].Index)].Term;
        return index == Pointer.Index ? Pointer.Term : null;
    }

    public LoadedPeer Load() => new(
        Key, StorageId, Epoch, WriteSeq, HardState, new StoredSnapshot(Pointer, Chunks[(Pointer.Epoch, Pointer.Id)]),
        Log.ToArray())
    {
        Sightings = Sightings,
    };

    public SimulatedRow Copy()
    {
        var copy = new SimulatedRow
        {
            Key = Key,
            StorageId = StorageId,
            Epoch = Epoch,
            ActivationMark = ActivationMark,
            WriteSeq = WriteSeq,
            HardState = HardState,
            Pointer = Pointer,
            Log = [.. Log],
            Sightings = Sightings,
        };
        foreach ((var key, ReadOnlyMemory<byte> data) in Chunks)
            copy.Chunks.Add(key, data);
        return copy;
    }
}
