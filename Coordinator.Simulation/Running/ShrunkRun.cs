using System.Globalization;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Faults;

namespace Coordinator.Simulation.Running;

/// <summary>The smallest run found in which a seed violates the same invariant.</summary>
/// <param name="Scenario">What the seed has drawn, before anything was left out.</param>
/// <param name="Plan">All faults of the whole run.</param>
internal sealed record ShrunkRun(
    Scenario Scenario,
    IReadOnlyList<PlannedFault> Plan,
    InvariantViolation Whole,
    Reduction Smallest,
    InvariantViolation Violation,
    long Runs)
{
    public IReadOnlyList<PlannedFault> Faults => Smallest.Of(Plan);

    public int Clients => Smallest.Clients?.Count ?? Scenario.Clients;

    public long SafetyUs => Smallest.Of(Scenario).SafetyUs;

    public void Describe(PlantedBug bug, TextWriter output)
    {
        output.WriteLine($"seed {Scenario.Seed}: {Whole.Message}");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"smallest of {Runs} runs: {Faults.Count} of {Plan.Count} faults, {Clients} of {Scenario.Clients} clients, {SafetyUs / 1e6:0.000} of {Scenario.SafetyUs / 1e6:0} s, {(Smallest.IsCalm ? "a calm network" : "the network as drawn")}"));
        output.WriteLine($"  {Scenario.Peers} peers, {(Scenario.SharesDatabase ? "one database" : "a database each")}");
        foreach (PlannedFault fault in Faults)
            output.WriteLine($"  {fault}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"at {Violation.AtUs / 1e6:0.000} s: {Violation.Message}"));
        output.WriteLine($"replay: {FailureReport.ReplayCommand(Scenario.Seed, bug, Smallest)}");
    }
}
