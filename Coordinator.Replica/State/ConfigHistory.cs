namespace Coordinator.Replica.State;

/// <summary>
/// All changes above <see cref="CompactedRevision"/>, in the order of revisions and within one in that of keys, and once
/// more by key. Invariant: each revision above it has at least one change, and a change's record before is the record
/// after the same key's change before it.
/// </summary>
/// <remarks>
/// Compaction moves a boundary, at once and the same on every replica. What lies below it is dropped little by little:
/// that takes memory for a while, but is in no answer, no hash and no snapshot.
/// </remarks>
internal sealed class ConfigHistory(long compactedRevision)
{
    /// <summary>Most changes that one entry drops: more than a transaction adds.</summary>
    public const int DroppedPerEntry = 512;

    private readonly SortedBlocks<string, ChangeQueue, OrdinalOrder> _byKey = new();
    private readonly ChangeQueue _changes = new();
    private readonly SeededBug _planted = SeededBugs.Planted;

    // The first change above the boundary, and the sums over all below it.
    private int _first;
    private ulong _hashBelow;
    private long _bytesBelow;
    private ulong _hashThrough;
    private long _bytesThrough;

    /// <summary>The oldest revision whose state can be read; what happened in it and before is forgotten.</summary>
    public long CompactedRevision { get; private set; } = compactedRevision;

    /// <summary>Of the changes that are kept.</summary>
    public int Count => _changes.Count - _first;

    /// <summary>The sum of the hashes of the changes that are kept.</summary>
    public ulong Hash => _hashThrough - _hashBelow;

    public long Bytes => _bytesThrough - _bytesBelow;

    /// <summary>Changes below the boundary that are still in memory.</summary>
    public int Backlog => _first;

    public ConfigChange this[int i] => _changes[_first + i];

    /// <summary>The changes of each key that has any, some of them perhaps below the boundary.</summary>
    public SortedBlocks<string, ChangeQueue, OrdinalOrder> ByKey => _byKey;

    public void Add(ConfigChange change)
    {
        change.HashThrough = _hashThrough += change.Hash();
        change.BytesThrough = _bytesThrough += change.Bytes;
        _changes.Add(change);
        if (!_byKey.TryGet(change.Key, out ChangeQueue? ofKey))
            _byKey.Add(change.Key, ofKey = new ChangeQueue());
        ofKey.Add(change);
    }

    /// <summary>The index of the first change that is kept and above the revision; <see cref="Count"/>: there is none.</summary>
    public int FirstAbove(long revision) => _changes.FirstAbove(Math.Max(revision, CompactedRevision)) - _first;

    /// <summary>Whether the key was changed since the revision, and what it was at it then.</summary>
    public bool ChangedSince(string key, long revision, out ConfigRecord? then)
    {
        then = null;
        if (_planted == SeededBug.ReadsNextRevision)
            revision++;
        return _byKey.TryGet(key, out ChangeQueue? changes) && ChangedSince(changes, revision, out then);
    }

    public static bool ChangedSince(ChangeQueue changes, long revision, out ConfigRecord? then)
    {
        int first = changes.FirstAbove(revision);
        then = first < changes.Count ? changes[first].Before : null;
        return first < changes.Count;
    }

    /// <summary>Moves the boundary up; it never moves down.</summary>
    public void Compact(long revision)
    {
        if (revision <= CompactedRevision)
            return;
        CompactedRevision = revision;
        _first = _changes.FirstAbove(revision);
        if (_first > 0)
            (_hashBelow, _bytesBelow) = (_changes[_first - 1].HashThrough, _changes[_first - 1].BytesThrough);
    }

    /// <summary>What the limits no longer allow to be kept, decided by the log alone: by number, age and bytes.</summary>
    public void Compact(StateSettings settings, long revision, long logTimeUs)
    {
        Compact(revision - settings.HistoryRevisions);
        if (Count > 0 && (logTimeUs - this[0].LogTimeUs > settings.HistoryAgeUs || Bytes > settings.HistoryBytes))
            Compact(LastOf(settings, logTimeUs).Revision);
    }

    public void DropBacklog()
    {
        for (int dropped = 0; dropped < DroppedPerEntry && _first > 0; dropped++, _first--)
        {
            string key = _changes[0].Key;
            _changes.DropFirst();
            if (!_byKey.TryGet(key, out ChangeQueue? ofKey))
                throw new InvalidOperationException($"The history does not know key '{key}', whose change it drops.");
            ofKey.DropFirst();
            if (ofKey.Count == 0)
                _byKey.Remove(key);
        }
    }

    // The last change that is too old, or that has to go for the bytes to fit: both only grow along the queue.
    private ConfigChange LastOf(StateSettings settings, long logTimeUs)
    {
        int low = 0;
        int high = Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            ConfigChange before = this[middle - 1];
            bool goes = logTimeUs - this[middle].LogTimeUs > settings.HistoryAgeUs
                || _bytesThrough - before.BytesThrough > settings.HistoryBytes;
            if (goes)
                low = middle;
            else
                high = middle - 1;
        }
        return this[low];
    }
}
