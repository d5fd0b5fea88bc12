namespace Coordinator.Raft;

/// <summary>
/// The state after applying everything up to <see cref="Index"/>. <see cref="Data"/> is the application's and immutable.
/// </summary>
public sealed record Snapshot(long Index, Term Term, ConfState ConfState, ReadOnlyMemory<byte> Data);
