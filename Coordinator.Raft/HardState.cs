namespace Coordinator.Raft;

/// <summary>
/// What a peer must have made durable before it answers (Raft figure 2: currentTerm, votedFor; and commit).
/// </summary>
public readonly record struct HardState(Term Term, PeerId Vote, long Commit)
{
    public bool IsEmpty => this == default;
}
