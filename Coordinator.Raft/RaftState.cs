namespace Coordinator.Raft;

/// <summary>
/// The role of a peer (Raft §5.1); a pre-candidate asks before it disturbs anyone's term (thesis §9.6).
/// </summary>
public enum RaftState : byte
{
    Follower,
    Candidate,
    Leader,
    PreCandidate,
}
