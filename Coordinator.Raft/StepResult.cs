namespace Coordinator.Raft;

/// <summary>What became of a message.</summary>
public enum StepResult : byte
{
    /// <summary>Processed, or ignored as Raft says.</summary>
    Accepted,

    /// <summary>It carried a proposal, and that was dropped.</summary>
    ProposalDropped,

    /// <summary>Of a type that only this peer itself makes, but not from its own storage.</summary>
    UnexpectedLocalMessage,

    /// <summary>An answer from a peer that isn't in the configuration.</summary>
    UnknownPeer,
}
