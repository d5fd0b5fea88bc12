using Coordinator.Raft;

namespace Coordinator.Replica;

public enum ServiceState
{
    Running,

    /// <summary>The outcome of a write is in doubt or the database is away: until it has activated again it says nothing.</summary>
    Suspended,

    /// <summary>Its storage lost its row, went back in time or is damaged: it must not take part.</summary>
    Quarantined,

    /// <summary>Another activation took over, or an invariant broke.</summary>
    Stopped,
}

/// <summary>What a replica knows of itself and the group, at the end of a turn.</summary>
/// <param name="IsReady">It leads, a quorum answers, and it has committed in its term: it would serve now.</param>
/// <param name="Detail">Why, when the state is not running.</param>
public sealed record ReplicaStatus(
    PeerId Peer,
    ServiceState Service,
    RaftState Role,
    PeerId Leader,
    Term Term,
    long Epoch,
    long LastIndex,
    long CommitIndex,
    long AppliedIndex,
    long SnapshotIndex,
    long Revision,
    int Sessions,
    bool IsReady,
    string? Detail);
