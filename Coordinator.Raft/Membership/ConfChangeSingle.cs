namespace Coordinator.Raft;

/// <summary>One change of one peer. A change of nobody (<see cref="PeerId.None"/>) is skipped when applied.</summary>
public readonly record struct ConfChangeSingle(ConfChangeType Type, PeerId Peer)
{
    public override string ToString() => $"{Type}({Peer})";
}
