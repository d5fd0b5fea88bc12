namespace Coordinator.Raft.Log;

/// <summary>
/// The end of the log that storage doesn't hold yet, and a snapshot on its way there. What has been handed out to be
/// written is in progress until storage confirms it.
/// Invariant: First &lt;= NextToWrite &lt;= Last + 1; a snapshot precedes the entries.
/// </summary>
internal sealed class UnstableLog
{
    private readonly EntryRing _entries;
    private bool _snapshotInProgress;

    // Of the entries here, where the first membership change is; 0: none.
    private long _firstConfChange;

    public UnstableLog(long nextIndex)
    {
        _entries = new EntryRing(nextIndex);
        NextToWrite = nextIndex;
    }

    /// <summary>The first index that isn't stable.</summary>
    public long First => _entries.First;

    /// <summary>The first entry that hasn't been handed out to be written.</summary>
    public long NextToWrite { get; private set; }

    public Snapshot? Snapshot { get; private set; }

    public bool HasEntries => _entries.Count > 0;

    /// <summary>The last index known here, or null: storage knows.</summary>
    public long? LastIndex => HasEntries ? _entries.Last : Snapshot?.Index;

    public bool HasEntriesToWrite => NextToWrite <= _entries.Last;

    public Snapshot? SnapshotToWrite => _snapshotInProgress ? null : Snapshot;

    /// <summary>The last index before the first membership change that isn't stable.</summary>
    public long LastBeforeConfChange => _firstConfChange == 0 ? long.MaxValue : _firstConfChange - 1;

    public EntrySlice EntriesToWrite() => _entries.Slice(NextToWrite, _entries.Last + 1, long.MaxValue);

    public EntrySlice Slice(long lo, long hi, long maxBytes) => _entries.Slice(lo, hi, maxBytes);

    public bool TryGetTerm(long index, out Term term)
    {
        if (index >= _entries.First && index <= _entries.Last)
        {
            term = _entries[index].Term;
            return true;
        }

        bool isSnapshot = Snapshot is not null && Snapshot.Index == index;
        term = isSnapshot ? Snapshot!.Term : default;
        return isSnapshot;
    }

    /// <summary>Everything here has been handed out to be written.</summary>
    public void AcceptInProgress()
    {
        NextToWrite = _entries.Last + 1;
        _snapshotInProgress = Snapshot is not null;
    }

    /// <summary>
    /// Storage holds everything up to an entry. Ignored unless that very entry is here: the log may have been replaced
    /// while it was written.
    /// </summary>
    public void StableTo(LogPosition position)
    {
        if (position.Index < _entries.First
            || position.Index > _entries.Last
            || _entries[position.Index].Term != position.Term)
        {
            return;
        }

        _entries.DropThrough(position.Index);
        NextToWrite = Math.Max(NextToWrite, _entries.First);
        if (_firstConfChange != 0 && _firstConfChange < _entries.First)
        {
            _firstConfChange = FindConfChange(_entries.First);
        }
    }

    public void StableSnapshotTo(long index)
    {
        if (Snapshot?.Index == index)
        {
            Snapshot = null;
            _snapshotInProgress = false;
        }
    }

    public void Restore(Snapshot snapshot)
    {
        Reset(snapshot.Index + 1);
        Snapshot = snapshot;
        _snapshotInProgress = false;
    }

    public void Append(in Entry entry)
    {
        _entries.Append(entry);
        if (_firstConfChange == 0 && entry.Type != EntryType.Normal)
        {
            _firstConfChange = entry.Index;
        }
    }

    /// <summary>Makes the log end before an index.</summary>
    public void TruncateFrom(long index)
    {
        if (index <= _entries.First)
        {
            // Storage holds entries from here on too; they are replaced when the new ones are written.
            Reset(index);
            return;
        }

        _entries.TruncateFrom(index);
        NextToWrite = Math.Min(NextToWrite, index);
        if (_firstConfChange >= index)
        {
            _firstConfChange = 0;
        }
    }

    private void Reset(long nextIndex)
    {
        _entries.Reset(nextIndex);
        NextToWrite = nextIndex;
        _firstConfChange = 0;
    }

    private long FindConfChange(long from)
    {
        for (long index = from; index <= _entries.Last; index++)
        {
            if (_entries[index].Type != EntryType.Normal)
            {
                return index;
            }
        }

        return 0;
    }
}
