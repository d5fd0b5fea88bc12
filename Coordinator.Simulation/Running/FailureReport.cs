using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Running;

/// <summary>Says what a failing run has violated, and how to run it again and make it smaller.</summary>
internal static class FailureReport
{
    private const string Program = "dotnet run -c Release --project Coordinator.Simulation --";

    public static string ReplayCommand(ulong seed, PlantedBug bug, Reduction reduction) =>
        $"{Program} --seed {seed}{Planted(bug)}{reduction.ToArguments()} --trace";

    public static string ShrinkCommand(ulong seed, PlantedBug bug) => $"{Program} --shrink {seed}{Planted(bug)}";

    public static void Print(ulong seed, PlantedBug bug, Reduction reduction, InvariantViolation violation, TextWriter output)
    {
        output.WriteLine($"seed {seed}: {violation.Message}");
        if (violation.InnerException is { } inner)
            output.WriteLine(inner);
        output.WriteLine($"replay: {ReplayCommand(seed, bug, reduction)}");
        output.WriteLine($"shrink: {ShrinkCommand(seed, bug)}");
    }

    private static string Planted(PlantedBug bug) => bug == PlantedBug.None ? "" : $" --only \"{bug.Name}\"";
}
