namespace Coordinator.Raft;

/// <summary>
/// What Raft reads of a peer's log and snapshot: everything that has been written. It is read synchronously and only
/// within [FirstIndex - 1, LastIndex], so an in-memory mirror of the durable log serves.
/// </summary>
public interface IRaftStorage
{
    /// <summary>The index of the first entry that is there; LastIndex + 1 if there is none.</summary>
    long FirstIndex { get; }

    /// <summary>The index of the last entry, or of what was compacted last.</summary>
    long LastIndex { get; }

    /// <summary>The HardState, and the membership as of <see cref="RaftOptions.Applied"/>.</summary>
    (HardState HardState, ConfState ConfState) InitialState();

    /// <summary>
    /// The entries from <paramref name="lo"/> until before <paramref name="hi"/>, as many as fit in
    /// <paramref name="maxBytes"/> of their encoded size, and at least one.
    /// </summary>
    EntrySlice Entries(long lo, long hi, long maxBytes);

    /// <summary>The term at an index in [FirstIndex - 1, LastIndex]; null outside.</summary>
    Term? TermAt(long index);

    /// <summary>
    /// The latest snapshot to send to a follower; null: not at the moment, ask again later. It isn't sent to a peer
    /// that isn't a member in it: once a peer was added, a newer one must be taken if the log has been compacted.
    /// </summary>
    Snapshot? Snapshot();
}
