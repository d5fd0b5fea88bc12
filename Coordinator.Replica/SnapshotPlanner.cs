using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

/// <summary>
/// Decides when a snapshot is due and follows it into storage. Invariant: one at a time; its chunks are written only
/// when the log up to its index is durable here (rule 8), and that is the log which it is of.
/// </summary>
internal sealed class SnapshotPlanner(ReplicaOptions options, SnapshotPointer stored, long epoch, long appliedIndex)
{
    private readonly SeededBug _planted = SeededBugs.Planted;
    private Snapshot? _waiting;
    private Snapshot? _writing;
    private long _writingId;
    private long _lastId;

    // What an earlier activation has applied is handed out again, but not applied again: it counts from the start, or a
    // database that fails again and again would let the log grow without end.
    private long _entries = appliedIndex - stored.Index;
    private long _bytes;

    public void Applied(in Entry entry)
    {
        _entries++;
        _bytes += entry.Data.Length;
    }

    public bool IsDue => IsIdle && (_entries >= options.SnapshotEntries || _bytes >= options.SnapshotBytes);

    /// <summary>None is due, and none under way.</summary>
    public bool IsAtRest => IsIdle && !IsDue;

    public void Taken(Snapshot snapshot)
    {
        _waiting = snapshot;
        _entries = 0;
        _bytes = 0;
    }

    /// <param name="durable">
    /// The index alone says too little: where the state is ahead of the log, a tail of an older term may still be stored
    /// there, and go.
    /// </param>
    public SnapshotBytes? TryBeginOwn(MemoryStorage durable)
    {
        if (_waiting is null || _writing is not null)
            return null;
        if (durable.TermAt(_waiting.Index) != _waiting.Term && _planted != SeededBug.SnapshotBeforeDurable)
            return null;
        Snapshot snapshot = _waiting;
        _waiting = null;
        return Begin(snapshot);
    }

    /// <summary>A leader's snapshot goes first; an own one that is under way is overtaken and becomes garbage.</summary>
    public SnapshotBytes? TryBeginInstall(Snapshot install)
    {
        if (ReferenceEquals(_writing, install))
            return null;
        _waiting = null;
        _entries = 0;
        _bytes = 0;
        return Begin(install);
    }

    public PreparedSnapshot? Written(long id)
    {
        if (_writing is not { } snapshot || id != _writingId)
            return null;
        _writing = null;
        return new PreparedSnapshot(snapshot, new SnapshotPointer(
            epoch, id, snapshot.Index, snapshot.Term, SnapshotPointer.ChunksOf(snapshot.Data.Length),
            snapshot.Data.Length));
    }

    /// <summary>Forgotten: a failed own snapshot is due again later, a failed install is begun again.</summary>
    public void Failed(long id)
    {
        if (id != _writingId)
            return;
        _writing = null;
    }

    private bool IsIdle => _waiting is null && _writing is null;

    private SnapshotBytes Begin(Snapshot snapshot)
    {
        _writing = snapshot;
        _writingId = ++_lastId;
        return new SnapshotBytes(epoch, _writingId, snapshot.Index, snapshot.Term, snapshot.Data);
    }
}
