namespace Coordinator.Tests.Fuzz;

/// <summary>The silo did what no silo may do to any client, however hostile.</summary>
internal sealed class FuzzFinding(string message) : Exception(message);
