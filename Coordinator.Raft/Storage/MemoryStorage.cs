using Coordinator.Raft.Log;

namespace Coordinator.Raft;

/// <summary>
/// A log in memory: a storage for tests and caches, and the mirror of a durable one. Appending, reading and compacting
/// copy no entries. One thread.
/// Invariant: the entries are consecutive, and the term of what precedes the first one is known.
/// </summary>
public sealed class MemoryStorage : IRaftStorage
{
    private readonly EntryRing _entries;
    private HardState _hardState;
    private ConfState _confState;
    private Snapshot? _snapshot;
    private Term _compactedTerm;

    /// <summary>An empty log that begins at 1, of a peer that belongs to no group yet.</summary>
    public MemoryStorage()
        : this(new ConfState())
    {
    }

    /// <summary>
    /// An empty log that begins at 1, of a member of a new group. All of its members start with the same.
    /// </summary>
    public MemoryStorage(ConfState members)
    {
        _entries = new EntryRing(1);
        _confState = members;
    }

    public long FirstIndex => _entries.First;

    public long LastIndex => _entries.Last;

    /// <summary>
    /// What a durable store holds of a peer. Entries may begin before the snapshot's index, where a tail is kept for
    /// slow followers; otherwise right after it.
    /// </summary>
    /// <param name="confState">The membership as of what is applied, at the snapshot or later.</param>
    public static MemoryStorage Load(
        HardState hardState, ConfState confState, Snapshot snapshot, ReadOnlySpan<Entry> entries)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        MemoryStorage storage = new() { _hardState = hardState, _snapshot = snapshot };
        storage._confState = confState;
        storage._entries.Reset(snapshot.Index + 1);
        storage._compactedTerm = snapshot.Term;
        if (!entries.IsEmpty && entries[0].Index <= snapshot.Index)
        {
            // The first entry of the tail stands for what precedes the log: its own predecessor's term is gone.
            storage._entries.Reset(entries[0].Index + 1);
            storage._compactedTerm = entries[0].Term;
            entries = entries[1..];
        }

        storage._entries.Append(entries);
        Invariant.Require(
            storage.TermAt(snapshot.Index) == snapshot.Term,
            $"the log [{storage.FirstIndex}, {storage.LastIndex}] doesn't hold the snapshot's {snapshot.Index}");
        return storage;
    }

    public (HardState HardState, ConfState ConfState) InitialState() => (_hardState, _confState);

    public EntrySlice Entries(long lo, long hi, long maxBytes) => _entries.Slice(lo, hi, maxBytes);

    public Term? TermAt(long index) =>
        index == FirstIndex - 1 ? _compactedTerm
        : index >= FirstIndex && index <= LastIndex ? _entries[index].Term
        : null;

    public Snapshot? Snapshot() => _snapshot;

    public void SetHardState(HardState hardState) => _hardState = hardState;

    /// <summary>
    /// Adds entries, after removing all from the first one's index on. What has been compacted is skipped.
    /// </summary>
    public void Append(ReadOnlySpan<Entry> entries)
    {
        if (!entries.IsEmpty && entries[0].Index < FirstIndex)
        {
            entries = entries[(int)Math.Min(FirstIndex - entries[0].Index, entries.Length)..];
        }

        if (entries.IsEmpty)
        {
            return;
        }

        if (entries[0].Index <= LastIndex)
        {
            _entries.TruncateFrom(entries[0].Index);
        }

        _entries.Append(entries);
    }

    /// <summary>Replaces the whole log by a snapshot; false if there is one that is as new.</summary>
    public bool ApplySnapshot(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        if (_snapshot is not null && _snapshot.Index >= snapshot.Index)
        {
            return false;
        }

        _snapshot = snapshot;
        _confState = snapshot.ConfState;
        _compactedTerm = snapshot.Term;
        _entries.Reset(snapshot.Index + 1);
        return true;
    }

    /// <summary>
    /// Makes the state after applying up to an index the snapshot to send. The log stays; see <see cref="Compact"/>.
    /// </summary>
    /// <returns>The new snapshot.</returns>
    public Snapshot CreateSnapshot(long index, ConfState confState, ReadOnlyMemory<byte> data)
    {
        Term? term = TermAt(index);
        Invariant.Require(term is not null, $"snapshot {index} is outside the log [{FirstIndex}, {LastIndex}]");
        Invariant.Require(
            _snapshot is null || index >= _snapshot.Index, $"snapshot {index} is before {_snapshot?.Index}");
        _snapshot = new Snapshot(index, term.Value, confState, data);
        _confState = confState;
        return _snapshot;
    }

    /// <summary>
    /// Drops all entries up to and with an index, which must have been applied; none if they are gone.
    /// </summary>
    public void Compact(long throughIndex)
    {
        if (throughIndex < FirstIndex)
        {
            return;
        }

        Invariant.Require(throughIndex <= LastIndex, $"compaction to {throughIndex} is past the last, {LastIndex}");
        _compactedTerm = _entries[throughIndex].Term;
        _entries.DropThrough(throughIndex);
    }
}
