namespace Coordinator.Raft;

/// <summary>
/// What is to be done now. Without asynchronous storage writes: write Entries, HardState and Snapshot durably, send
/// Messages, apply Snapshot and CommittedEntries, and call <see cref="RawNode.Advance"/>. With them, the storage work
/// is also in Messages, as <see cref="MessageType.StorageAppend"/> and <see cref="MessageType.StorageApply"/>; do that.
/// </summary>
public sealed class Ready
{
    /// <summary>Set when it changed.</summary>
    public SoftState? SoftState { get; init; }

    /// <summary>Empty when it didn't change.</summary>
    public HardState HardState { get; init; }

    public IReadOnlyList<ReadState> ReadStates { get; init; } = [];

    /// <summary>To be made durable; all stored entries from the first one's index on go first.</summary>
    public EntrySlice Entries { get; init; }

    /// <summary>Replaces the log and the state.</summary>
    public Snapshot? Snapshot { get; init; }

    public EntrySlice CommittedEntries { get; init; }

    /// <summary>Without asynchronous storage writes, to be sent only after the writes above are durable.</summary>
    public IReadOnlyList<Message> Messages { get; init; } = [];

    /// <summary>The write must be durable before it counts: it isn't a commit index alone.</summary>
    public bool MustSync { get; init; }
}
