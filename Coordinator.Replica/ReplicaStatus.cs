using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

public enum ServiceState
{
    Running,

    /// <summary>Just activated: until it has compared its storage with what others have seen of it, it says nothing.</summary>
    Comparing,

    /// <summary>The outcome of a write is in doubt or the database is away: until it has activated again it says nothing.</summary>
    Suspended,

    /// <summary>Its storage lost its row, went back in time or is damaged: it must not take part.</summary>
    Quarantined,

    /// <summary>Another activation took over, or an invariant broke.</summary>
    Stopped,
}

/// <summary>What a replica knows of itself and the group, at the end of a turn.</summary>
/// <param name="IsReady">It leads, a quorum answers, and it has committed in its term: it would serve now.</param>
/// <param name="StoredCommitIndex">What a restart would know to be committed.</param>
/// <param name="Membership">As far as applied here.</param>
/// <param name="MembershipIndex">Of the last entry applied here that changed it; 0: it is that of a snapshot.</param>
/// <param name="FeatureLevel">The group's (rule 25).</param>
/// <param name="StateDisputed">It leads, and a majority has reported hashes of the state of which no one is a majority's
/// (rule 9): nobody can tell which is right.</param>
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
    long StoredCommitIndex,
    GroupMembership Membership,
    long MembershipIndex,
    int FeatureLevel,
    bool StateDisputed,
    string? Detail)
{
    /// <summary>Watches that wait here for something to happen, or for a read round.</summary>
    public int Watches { get; init; }

    /// <summary>The whole group rests, as far as known here: nothing happens until something comes (rule 24).</summary>
    public bool IsQuiesced { get; init; }
}
