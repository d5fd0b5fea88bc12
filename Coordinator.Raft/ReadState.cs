namespace Coordinator.Raft;

/// <summary>
/// The answer to a ReadIndex request: once everything up to <see cref="Index"/> is applied here, a read of the state
/// is linearizable for the request that carried <see cref="Context"/>.
/// </summary>
public readonly record struct ReadState(long Index, ReadOnlyMemory<byte> Context);
