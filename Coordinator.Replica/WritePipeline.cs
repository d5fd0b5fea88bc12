using System.Runtime.InteropServices;
using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

/// <summary>
/// What Raft wants durable, gathered into one write at a time (rule 3). Invariant: a release leaves only when all that
/// was asked for before it has committed (rule 5): a vote, a vote request or an acknowledgement never names a term, a
/// vote or a log that a restart could forget.
/// </summary>
internal sealed class WritePipeline(LoadedPeer loaded, MemoryStorage mirror, Sightings sightings, ReplicaOptions options)
{
    private readonly List<Release> _releases = [];
    private readonly SeededBug _planted = SeededBugs.Planted;
    private readonly List<Release> _inFlightReleases = [];
    private List<Entry> _pending = [];
    private List<Entry> _inFlightEntries = [];
    private readonly PeerKey _key = loaded.Key;
    private readonly long _epoch = loaded.Epoch;
    private HardState _wanted = loaded.HardState;
    private HardState _stored = loaded.HardState;
    private long _compactedThrough = FirstStored(loaded) - 1;
    private long _compactTarget;
    private long _commitChangedUs;
    private SnapshotPointer? _pointerInForce = loaded.Snapshot.Pointer;
    private Snapshot? _install;
    private PreparedSnapshot? _prepared;
    private PreparedSnapshot? _inFlightSnapshot;
    private bool _inFlightPromises;

    public PeerWrite? InFlight { get; private set; }

    /// <summary>The last write that is known to have committed.</summary>
    public long AcknowledgedWriteSeq { get; private set; } = loaded.WriteSeq;

    /// <summary>The last of those that holds a promise: more than a commit index or sightings. As loaded it is the last of all.</summary>
    public long PromisedWriteSeq { get; private set; } = loaded.WriteSeq;

    /// <summary>The last index of the durable log.</summary>
    public long DurableLastIndex { get; private set; } =
        loaded.Entries.Count > 0 ? loaded.Entries[^1].Index : loaded.Snapshot.Pointer.Index;

    /// <summary>The commit index in storage: what a restart would know.</summary>
    public long StoredCommitIndex => _stored.Commit;

    /// <summary>Bytes of entries not yet durable here.</summary>
    public long UnwrittenBytes { get; private set; }

    public SnapshotPointer SnapshotInForce => _pointerInForce!;

    /// <summary>A snapshot from the leader whose chunks have to be written before anything after it.</summary>
    public Snapshot? Installing => _install;

    /// <summary>The chunks of <see cref="Installing"/> are written; it waits for its write, or that is on its way.</summary>
    public bool IsInstallPrepared => _install is not null && ReferenceEquals((_prepared ?? _inFlightSnapshot)?.Snapshot, _install);

    /// <summary>Takes over what one StorageAppend message asks for.</summary>
    public void Add(Message append, long nowUs)
    {
        if (append.Snapshot is { } snapshot)
        {
            // What was pending lies below the snapshot, or conflicts with it.
            foreach (Entry entry in _pending)
                UnwrittenBytes -= SizeOf(entry);
            _pending.Clear();
            _install = snapshot;
            _prepared = null;
        }
        AddEntries(append);
        // An append without a HardState has none of its fields set.
        if (append.Term > Term.Zero)
        {
            if (append.Commit > _wanted.Commit)
                _commitChangedUs = nowUs;
            _wanted = new HardState(append.Term, append.Vote, Math.Max(append.Commit, _wanted.Commit));
        }
    }

    public void Add(Release release) => _releases.Add(release);

    /// <summary>The snapshot's chunks are written; the next write switches to it. An own one that a leader's has
    /// overtaken is garbage.</summary>
    public void Prepare(PreparedSnapshot prepared)
    {
        if (_install is null || ReferenceEquals(_install, prepared.Snapshot))
            _prepared = prepared;
        if (_planted == SeededBug.CompactsBeforeSnapshot)
            _compactTarget = Math.Max(_compactTarget, DurableLastIndex);
    }

    /// <summary>Removes the durable prefix below a snapshot, a slice with each write.</summary>
    private void SetCompactTarget(long snapshotIndex) =>
        _compactTarget = Math.Max(_compactTarget, snapshotIndex - options.TailEntries);

    /// <summary>All is stored, the commit index included, and nothing is to be removed.</summary>
    public bool IsAtRest =>
        InFlight is null && !MustWrite && !CompactionDue && _releases.Count == 0 && _wanted.Commit == _stored.Commit;

    /// <summary>Everything asked for is durable and nothing is on its way: the releases may leave now.</summary>
    public bool TryTakeReleases(List<Release> taken)
    {
        if (InFlight is not null || MustWrite || _releases.Count == 0)
            return false;
        taken.AddRange(_releases);
        _releases.Clear();
        return true;
    }

    public PeerWrite? TryBegin(long nowUs)
    {
        if (InFlight is not null || (_install is not null && _prepared is null))
            return null;
        bool lazilyDue = (WantedCommit() > _stored.Commit && nowUs - _commitChangedUs >= options.LazyCommitUs)
            || (sightings.UnstoredSinceUs is { } seenUs && nowUs - seenUs >= options.LazyCommitUs);
        if (!MustWrite && !lazilyDue && !CompactionDue)
            return null;
        _inFlightPromises = MustWrite;
        InFlight = new PeerWrite
        {
            Key = _key,
            Epoch = _epoch,
            WriteSeq = AcknowledgedWriteSeq + 1,
            HardState = _wanted with { Commit = WantedCommit() },
            Entries = _pending,
            Snapshot = _prepared?.Pointer,
            ReplaceLog = _install is not null && _planted != SeededBug.InstallKeepsLog,
            CompactThrough = _install is null ? NextCompaction() : 0,
            Sightings = sightings.TakeUnstored(),
        };
        _inFlightEntries = _pending;
        _pending = [];
        (_inFlightSnapshot, _prepared) = (_prepared, null);
        _inFlightReleases.AddRange(_releases);
        _releases.Clear();
        return InFlight;
    }

    /// <summary>The write has committed: the mirror follows, and what waited for it is released.</summary>
    /// <returns>The snapshot that this write switched to, if any.</returns>
    public PreparedSnapshot? Committed(List<Release> released)
    {
        PeerWrite write = InFlight ?? throw new InvalidOperationException("No write is in flight.");
        InFlight = null;
        AcknowledgedWriteSeq = write.WriteSeq;
        if (_inFlightPromises)
            PromisedWriteSeq = write.WriteSeq;
        _stored = write.HardState;
        PreparedSnapshot? switched = _inFlightSnapshot;
        _inFlightSnapshot = null;
        if (switched is not null)
            SwitchTo(switched, write.ReplaceLog);
        AppendToMirror();
        mirror.SetHardState(write.HardState);
        if (write.CompactThrough > 0)
        {
            _compactedThrough = write.CompactThrough;
            mirror.Compact(write.CompactThrough);
        }
        released.AddRange(_inFlightReleases);
        _inFlightReleases.Clear();
        return switched;
    }

    private bool MustWrite =>
        _pending.Count > 0 || _prepared is not null || _install is not null
        || _wanted.Term != _stored.Term || _wanted.Vote != _stored.Vote;

    private bool CompactionDue => _compactTarget > _compactedThrough;

    private static long FirstStored(LoadedPeer loaded) =>
        loaded.Entries.Count > 0 ? loaded.Entries[0].Index : loaded.Snapshot.Pointer.Index + 1;

    private long NextCompaction() => CompactionDue
        ? Math.Min(_compactTarget, _compactedThrough + options.CompactRowsPerWrite)
        : 0;

    /// <summary>A stored commit index never exceeds the last stored index (rule 8).</summary>
    private long WantedCommit()
    {
        long lastAfter = _pending.Count > 0 ? _pending[^1].Index : _install?.Index ?? DurableLastIndex;
        return Math.Max(_stored.Commit, Math.Min(_wanted.Commit, lastAfter));
    }

    private void AddEntries(Message append)
    {
        EntrySlice entries = append.Entries;
        if (entries.IsEmpty)
            return;
        long first = entries[0].Index;
        // A conflicting tail that was not yet written is never written.
        int keep = _pending.Count;
        while (keep > 0 && _pending[keep - 1].Index >= first)
        {
            UnwrittenBytes -= SizeOf(_pending[keep - 1]);
            keep--;
        }
        _pending.RemoveRange(keep, _pending.Count - keep);
        foreach (Entry entry in entries)
        {
            UnwrittenBytes += SizeOf(entry);
            _pending.Add(entry);
        }
    }

    private void SwitchTo(PreparedSnapshot switched, bool replaceLog)
    {
        _pointerInForce = switched.Pointer;
        if (replaceLog)
        {
            mirror.ApplySnapshot(switched.Snapshot with { Data = default });
            DurableLastIndex = switched.Snapshot.Index;
            _compactedThrough = switched.Snapshot.Index;
            _compactTarget = 0;
            if (ReferenceEquals(_install, switched.Snapshot))
                _install = null;
        }
        else
        {
            mirror.CreateSnapshot(switched.Snapshot.Index, switched.Snapshot.ConfState, default);
            SetCompactTarget(switched.Snapshot.Index);
        }
    }

    private void AppendToMirror()
    {
        if (_inFlightEntries.Count == 0)
            return;
        foreach (Entry entry in _inFlightEntries)
            UnwrittenBytes -= SizeOf(entry);
        mirror.Append(CollectionsMarshal.AsSpan(_inFlightEntries));
        DurableLastIndex = _inFlightEntries[^1].Index;
        _inFlightEntries = [];
    }

    private static long SizeOf(in Entry entry) => entry.Data.Length + 32;
}

/// <summary>One of: a message for another peer, or for the own Raft, that waits for a write.</summary>
internal readonly record struct Release(Envelope? Remote, Message? Local);

/// <summary>A snapshot whose chunks are in storage.</summary>
internal sealed record PreparedSnapshot(Snapshot Snapshot, SnapshotPointer Pointer);
