namespace Coordinator.Simulation.Engine;

/// <summary>Something happened that a rule rules out. Ends the run.</summary>
internal sealed class InvariantViolation(string invariant, string message, Exception? inner = null)
    : Exception($"{invariant}: {message}", inner)
{
    public string Invariant { get; } = invariant;

    /// <summary>Virtual time; the run that it ends sets it.</summary>
    public long AtUs { get; set; }
}
