using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Running;

/// <summary>Proof that the net catches fish: each planted bug must be noticed by some invariant, within a number of seeds.</summary>
internal static class BugHunt
{
    public static int Run(IEnumerable<PlantedBug> bugs, long limit, TextWriter output)
    {
        bool allCaught = true;
        output.WriteLine($"{"bug",-44}{"rule",-14}{"seeds",6}  invariant");
        foreach (PlantedBug bug in bugs)
        {
            (long seeds, string? message) = Hunt(bug, limit);
            allCaught &= message is not null;
            output.WriteLine($"{bug.Name,-44}{bug.Rule,-14}{seeds,6}  {message ?? "NOT CAUGHT"}");
        }
        return allCaught ? 0 : 1;
    }

    /// <summary>The seeds it took, and what was noticed; null: nothing was.</summary>
    public static (long Seeds, string? Message) Hunt(PlantedBug bug, long limit)
    {
        for (long seed = 1; seed <= limit; seed++)
        {
            try
            {
                SimulationRun.Run((ulong)seed, bug);
            }
            catch (InvariantViolation violation)
            {
                return (seed, violation.Message);
            }
        }
        return (limit, null);
    }
}
