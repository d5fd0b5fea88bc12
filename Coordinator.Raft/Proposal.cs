namespace Coordinator.Raft;

/// <summary>One normal entry to append: its payload, and the stamp that goes beside it.</summary>
public readonly record struct Proposal(ReadOnlyMemory<byte> Data, long Stamp);
