namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// An operation that may come next, by its place among those of its kind, in order of invocation. Operations with a
/// known outcome come before those without: an unknown one is used only where the known ones lead nowhere.
/// </summary>
internal readonly record struct Candidate(bool OutcomeIsUnknown, int Index);
