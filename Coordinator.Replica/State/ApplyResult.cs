using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>What became of one entry's command.</summary>
/// <param name="Result">Shared between calls: read it, never change it.</param>
/// <param name="WaitIndex">
/// Not 0 exactly when the outcome is <see cref="Outcome.Queued"/>: the log index of the acquire whose wait this is. A
/// repeated queued acquire keeps its place, so this is the index of the first one, and the
/// <see cref="WaitEnded.EntryIndex"/> with which the wait will end.
/// </param>
/// <param name="Message">For a person, when the result is an error; otherwise null.</param>
public readonly record struct ApplyResult(CommandResult Result, long WaitIndex, string? Message = null);
