using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// A Raft message with the activation that speaks (rule 5). <see cref="ReceiverEpoch"/> names the activation that it is
/// for: an answer to an earlier activation is dropped, or a late grant for a log that the candidate no longer has would
/// elect it; and whoever hears that a later activation of its own exists has been fenced off.
/// </summary>
/// <param name="Epoch">Of the sender's activation.</param>
/// <param name="ReceiverEpoch">The latest activation of the receiver that the sender has heard; 0: none yet.</param>
/// <param name="Report">Of the sender, whatever the message.</param>
public sealed record Envelope(
    int Group,
    PeerId From,
    Guid StorageId,
    long Epoch,
    PeerId To,
    long ReceiverEpoch,
    PeerReport Report,
    Message Message)
{
    /// <summary>
    /// The last entry that the sender knows to be committed; <see cref="CommitTerm"/> is its term. True whoever says it,
    /// so a peer without a leader may go by it: the last peer that knows of a membership change may be one that left.
    /// </summary>
    public long CommitIndex { get; init; }

    public Term CommitTerm { get; init; }

    /// <summary>The sender's last durable write that holds a promise: whoever hears of it is a witness of the sender's
    /// storage.</summary>
    public long PromisedWriteSeq { get; init; }

    /// <summary>
    /// With a heartbeat: the leader asks whether the group may rest (rule 24). With its answer: the sender rests. Whoever
    /// does not know it hears an ordinary heartbeat, and goes on.
    /// </summary>
    public bool AtRest { get; init; }

    /// <summary>With <see cref="MessageType.StorageAnswer"/> alone.</summary>
    public StorageAnswer? StorageAnswer { get; init; }
}

/// <summary>What the group's leader has to know of each member's program and state (rules 25 and 9).</summary>
/// <param name="SupportedLevel">The highest feature level that its program can apply.</param>
/// <param name="CheckIndex">Of the last CheckState entry that it applied; 0: none that it remembers.</param>
/// <param name="CheckHash">Of its state's contents there.</param>
public sealed record PeerReport(int SupportedLevel, long CheckIndex, ulong CheckHash);
