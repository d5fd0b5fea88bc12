namespace Coordinator.Raft;

public enum EntryType : byte
{
    Normal = 0,

    /// <summary>One change of one peer, as early Raft had it.</summary>
    ConfChange = 1,

    /// <summary>Any number of changes, simple or through a joint configuration.</summary>
    ConfChangeV2 = 2,
}

/// <summary>
/// One log entry. Immutable, its data included: the same bytes are shared by the log, the messages and the writes.
/// </summary>
/// <param name="Stamp">
/// A field beside the payload for the application's clock, set by whoever proposes; 0: none. Raft carries it and never
/// reads it.
/// </param>
public readonly record struct Entry(
    Term Term,
    long Index,
    EntryType Type,
    ReadOnlyMemory<byte> Data,
    long Stamp = 0);
