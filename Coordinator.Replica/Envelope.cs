using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// A Raft message with the activation that speaks (rule 5). <see cref="AnswersEpoch"/> names the activation of the
/// receiver whose message this answers; an answer to an earlier activation is dropped, or a late grant for a log that
/// the candidate no longer has would elect it.
/// </summary>
/// <param name="Epoch">Of the sender's activation.</param>
/// <param name="AnswersEpoch">0 for what is no answer.</param>
public sealed record Envelope(
    int Group,
    PeerId From,
    Guid StorageId,
    long Epoch,
    PeerId To,
    long AnswersEpoch,
    Message Message);
