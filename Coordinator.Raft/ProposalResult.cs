namespace Coordinator.Raft;

/// <summary>
/// What became of a proposal. All its entries share the fate. Beyond <see cref="Forwarded"/> nothing was appended
/// and nothing was sent.
/// </summary>
public enum ProposalResult : byte
{
    /// <summary>This peer leads; the entries occupy the last indexes of its log.</summary>
    Appended,

    /// <summary>Sent on to the leader. Whether it is appended there is unknown.</summary>
    Forwarded,

    /// <summary>No leader is known.</summary>
    NoLeader,

    /// <summary>Another peer leads and <see cref="RaftOptions.DisableProposalForwarding"/> is on.</summary>
    ForwardingDisabled,

    /// <summary>This leader is handing leadership over.</summary>
    Transferring,

    /// <summary>The uncommitted tail would grow past <see cref="RaftOptions.MaxUncommittedBytes"/>.</summary>
    UncommittedLimit,

    /// <summary>This leader has been removed from the configuration.</summary>
    NotInConfiguration,
}
