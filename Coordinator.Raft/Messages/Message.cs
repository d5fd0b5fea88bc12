namespace Coordinator.Raft;

/// <summary>
/// One message between peers, or between a peer and its own storage. Which fields carry something depends on
/// <see cref="Type"/>. Immutable: the same object may be sent, stepped and kept.
/// </summary>
public sealed record Message
{
    public required MessageType Type { get; init; }
    public PeerId To { get; init; }
    public PeerId From { get; init; }

    /// <summary>The sender's term; zero in local messages, forwarded proposals and read requests.</summary>
    public Term Term { get; init; }

    /// <summary>The term of the entry at <see cref="Index"/> (of the hint, in a rejection).</summary>
    public Term LogTerm { get; init; }

    public long Index { get; init; }
    public EntrySlice Entries { get; init; }
    public long Commit { get; init; }

    /// <summary>
    /// In <see cref="MessageType.StorageAppend"/> alone: with Term and Commit, the HardState to write.
    /// </summary>
    public PeerId Vote { get; init; }

    public Snapshot? Snapshot { get; init; }
    public bool Reject { get; init; }

    /// <summary>In a rejected append: an index at which the logs may match.</summary>
    public long RejectHint { get; init; }

    /// <summary>
    /// Heartbeats: the position of the read requests that their answers confirm. Vote requests: why. Read requests and
    /// their answers: the caller's own context.
    /// </summary>
    public ReadOnlyMemory<byte> Context { get; init; }

    /// <summary>Storage messages: what to deliver, each to its To, once the work is done.</summary>
    public IReadOnlyList<Message> Responses { get; init; } = [];

    /// <summary>The HardState that a <see cref="MessageType.StorageAppend"/> asks to write; empty: unchanged.</summary>
    public HardState HardState => new(Term, Vote, Commit);
}
