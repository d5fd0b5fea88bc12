namespace Coordinator.Raft.Quorum;

/// <summary>Where an election stands.</summary>
public enum VoteResult : byte
{
    /// <summary>Votes that are still out decide.</summary>
    Pending = 1,

    /// <summary>A quorum can no longer be reached.</summary>
    Lost = 2,

    /// <summary>A quorum has said yes.</summary>
    Won = 3,
}
