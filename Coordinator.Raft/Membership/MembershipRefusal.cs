namespace Coordinator.Raft.Membership;

/// <summary>Why a change can't be applied to a configuration.</summary>
internal enum MembershipRefusal : byte
{
    None,

    /// <summary>One joint configuration must be left before the next is entered.</summary>
    AlreadyJoint,
    NotJoint,
    SimpleWhileJoint,

    /// <summary>An empty configuration takes its first voter by a simple change.</summary>
    NoVoterToJoin,
    RemovesAllVoters,

    /// <summary>
    /// Majorities of the old and the new voters need not overlap unless they differ by one (thesis §4.1).
    /// </summary>
    SeveralVotersAtOnce,
}
