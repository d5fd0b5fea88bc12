using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>
/// The writes of one statement as columns: one array for each parameter, a row for each peer or entry.
/// </summary>
internal sealed class WriteBatch
{
    public WriteBatch(IReadOnlyList<PeerWrite> writes)
    {
        Writes = writes;
        Groups = Column(w => w.Key.Group);
        Peers = Column(w => w.Key.Peer.Value);
        Epochs = Column(w => w.Epoch);
        WriteSeqs = Column(w => w.WriteSeq);
        Terms = Column(w => w.HardState.Term.Value);
        Votes = Column(w => w.HardState.Vote.Value);
        Commits = Column(w => w.HardState.Commit);
        Checksums = Column(w => RowChecksums.State(w.Key, w.WriteSeq, w.HardState));
        FirstIndexes = Column(w => w.Entries.Count > 0 ? w.Entries[0].Index : (long?)null);
        LastIndexes = Column(LastIndex);
        LogChecksums = Column(w => LastIndex(w) is { } last ? RowChecksums.Log(w.Key, last) : (int?)null);
        ReplaceLogs = Column(w => w.ReplaceLog);
        CompactThroughs = Column(w => w.CompactThrough);
        SnapshotEpochs = Column(w => w.Snapshot?.Epoch);
        SnapshotIds = Column(w => w.Snapshot?.Id);
        SnapshotIndexes = Column(w => w.Snapshot?.Index);
        SnapshotTerms = Column(w => w.Snapshot?.Term.Value);
        SnapshotChunkCounts = Column(w => w.Snapshot?.Chunks);
        SnapshotBytes = Column(w => w.Snapshot?.Bytes);
        SnapshotChecksums = Column(w => w.Snapshot is { } s ? RowChecksums.Snapshot(w.Key, s) : (int?)null);
        Sightings = Column(w => w.Sightings is { } s ? SightingsCodec.Encode(w.Key, s) : null);

        int rows = writes.Sum(w => w.Entries.Count);
        EntryWrites = new int[rows];
        EntryIndexes = new long[rows];
        EntryTerms = new long[rows];
        EntryTypes = new short[rows];
        EntryStamps = new long[rows];
        EntryData = new ReadOnlyMemory<byte>[rows];
        EntryChecksums = new int[rows];
        FillEntries();
    }

    public IReadOnlyList<PeerWrite> Writes { get; }
    public int[] Groups { get; }
    public long[] Peers { get; }
    public long[] Epochs { get; }
    public long[] WriteSeqs { get; }
    public long[] Terms { get; }
    public long[] Votes { get; }
    public long[] Commits { get; }
    public int[] Checksums { get; }
    public long?[] FirstIndexes { get; }

    /// <summary>Of the log after the write; null: as it was.</summary>
    public long?[] LastIndexes { get; }

    public int?[] LogChecksums { get; }
    public bool[] ReplaceLogs { get; }
    public long[] CompactThroughs { get; }
    public long?[] SnapshotEpochs { get; }
    public long?[] SnapshotIds { get; }
    public long?[] SnapshotIndexes { get; }
    public long?[] SnapshotTerms { get; }
    public int?[] SnapshotChunkCounts { get; }
    public long?[] SnapshotBytes { get; }
    public int?[] SnapshotChecksums { get; }

    /// <summary>Null: as they were.</summary>
    public byte[]?[] Sightings { get; }

    /// <summary>Which write an entry belongs to, counted from 1.</summary>
    public int[] EntryWrites { get; }

    public long[] EntryIndexes { get; }
    public long[] EntryTerms { get; }
    public short[] EntryTypes { get; }
    public long[] EntryStamps { get; }
    public ReadOnlyMemory<byte>[] EntryData { get; }
    public int[] EntryChecksums { get; }

    /// <summary>Payload bytes of a write, by which statements are bounded.</summary>
    public static long BytesOf(PeerWrite write) => write.Entries.Sum(e => (long)e.Data.Length);

    private static long? LastIndex(PeerWrite write) =>
        write.Entries.Count > 0 ? write.Entries[^1].Index
        : write.ReplaceLog ? write.Snapshot!.Index
        : null;

    private T[] Column<T>(Func<PeerWrite, T> field) => [.. Writes.Select(field)];

    private void FillEntries()
    {
        int row = 0;
        for (int i = 0; i < Writes.Count; i++)
        {
            foreach (Entry entry in Writes[i].Entries)
            {
                EntryWrites[row] = i + 1;
                EntryIndexes[row] = entry.Index;
                EntryTerms[row] = entry.Term.Value;
                EntryTypes[row] = (short)entry.Type;
                EntryStamps[row] = entry.Stamp;
                EntryData[row] = entry.Data;
                EntryChecksums[row] = RowChecksums.Entry(Writes[i].Key, entry);
                row++;
            }
        }
    }
}
