using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Faults;

/// <summary>
/// All faults of a run, drawn before it begins. Invariant: what a fault's number stands for depends on the seed alone, never
/// on what is left out of the run.
/// </summary>
internal static class FaultPlan
{
    public static IReadOnlyList<PlannedFault> Draw(Scenario scenario, Prng random)
    {
        var plan = new List<PlannedFault>();
        if (scenario.Faults.Count == 0)
            return plan;
        for (long atUs = NextUs(0); atUs < scenario.SafetyUs; atUs = NextUs(atUs))
            plan.Add(new PlannedFault(plan.Count + 1, atUs, random.Pick(scenario.Faults), random.Next()));
        return plan;

        long NextUs(long beforeUs) => beforeUs + random.Between(1, 2 * scenario.FaultIntervalUs);
    }
}
