namespace Coordinator.Simulation.Linearizability;

/// <summary>What is known of a history. Only <see cref="Linearizable"/> is good news.</summary>
internal enum Verdict
{
    Linearizable,

    /// <summary>No order explains what the clients saw.</summary>
    NotLinearizable,

    /// <summary>The steps ran out first. To a test this is a failure: nothing was shown.</summary>
    Undecided,
}
