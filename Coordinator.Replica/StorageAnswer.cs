using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// What a peer has seen of the storage of the one that asks it, at any time; and the membership by which that one has
/// asked enough.
/// </summary>
/// <param name="Epoch">The latest activation that it has heard; 0: none.</param>
/// <param name="WriteSeq">The last promise that it has heard of.</param>
/// <param name="AppliedIndex">As of which entry the membership is.</param>
public sealed record StorageAnswer(
    long Epoch, long WriteSeq, long AppliedIndex, IReadOnlyList<PeerId> Voters, IReadOnlyList<PeerId> VotersOutgoing);
