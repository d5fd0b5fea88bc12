namespace Coordinator.Raft;

/// <summary>What a peer knows and needn't remember: its role, and the leader if there is one.</summary>
public readonly record struct SoftState(PeerId Leader, RaftState State);
