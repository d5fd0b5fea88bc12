namespace Coordinator.Simulation.Linearizability;

/// <summary>An operation in a result: its id in the history, its line for the reader, the state after it.</summary>
internal readonly record struct PlacedOperation(int Id, string Line, string StateAfter);
