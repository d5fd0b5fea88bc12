using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Faults;

namespace Coordinator.Simulation.Running;

/// <summary>
/// Looks for a smaller run of a failing seed: fewer faults, fewer clients, a calm network, less time. Invariant: each smaller
/// run violates the invariant that the seed's whole run violates.
/// </summary>
internal sealed class Shrinker(ulong seed, PlantedBug bug, long runsMax)
{
    /// <summary>Less time than this saved is not worth a run.</summary>
    private const long UntilStepMs = 100;

    private Reduction _best = Reduction.None;
    private InvariantViolation? _violation;

    public long Runs { get; private set; }

    /// <summary>Null: the seed's run is well, there is nothing to shrink.</summary>
    public ShrunkRun? Shrink()
    {
        if (Violation(_best) is not { } whole)
            return null;
        _violation = whole;
        (Scenario scenario, IReadOnlyList<PlannedFault> plan) = SimulationRun.Plan(seed);
        Reduction before;
        TryEndAtViolation(scenario, plan);
        DropKinds(plan);
        do
        {
            before = _best;
            DropFaults();
            DropClients(scenario);
            Try(_best with { IsCalm = true });
            EndEarlier(scenario);
        }
        while (_best != before && Runs < runsMax);
        return new ShrunkRun(scenario, plan, whole, _best, _violation, Runs);
    }

    private InvariantViolation? Violation(Reduction reduction)
    {
        Runs++;
        try
        {
            SimulationRun.Run(seed, bug, reduction: reduction);
            return null;
        }
        catch (InvariantViolation violation)
        {
            return violation;
        }
    }

    private bool Try(Reduction smaller)
    {
        if (smaller == _best || Runs >= runsMax || Violation(smaller) is not { } violation
            || violation.Invariant != _violation!.Invariant)
            return false;
        _best = smaller;
        _violation = violation;
        return true;
    }

    /// <summary>What was planned for later did not happen: the run is the same without it.</summary>
    private void TryEndAtViolation(Scenario scenario, IReadOnlyList<PlannedFault> plan)
    {
        long endUs = Math.Min(_violation!.AtUs, scenario.SafetyUs);
        Try(_best with
        {
            Faults = [.. plan.Where(fault => fault.AtUs <= endUs).Select(fault => fault.Number)],
            UntilMs = (endUs / 1_000) + 1,
        });
        if (_best.Faults is null)
            _best = _best with { Faults = [.. plan.Select(fault => fault.Number)] };
    }

    private void DropKinds(IReadOnlyList<PlannedFault> plan)
    {
        PlannedFault[] kept = [.. Reduction.None.Of(plan).Where(fault => _best.Faults!.Contains(fault.Number))];
        FaultKind[] kinds = [.. kept.Select(fault => fault.Kind).Distinct()];
        DeltaDebugging.Minimize(kinds, some => Try(_best with
        {
            Faults = [.. kept.Where(fault => some.Contains(fault.Kind)).Select(fault => fault.Number)],
        }));
    }

    private void DropFaults() => DeltaDebugging.Minimize(_best.Faults!, some => Try(_best with { Faults = some }));

    /// <summary>One client at least: without any there is nothing to serve.</summary>
    private void DropClients(Scenario scenario) => DeltaDebugging.Minimize(
        _best.Clients ?? [.. Enumerable.Range(0, scenario.Clients)],
        some => some.Count > 0 && Try(_best with { Clients = some }));

    private void EndEarlier(Scenario scenario)
    {
        long lowMs = 0;
        long highMs = _best.UntilMs ?? scenario.SafetyUs / 1_000;
        while (highMs - lowMs > UntilStepMs)
        {
            long middleMs = (lowMs + highMs) / 2;
            if (Try(_best with { UntilMs = middleMs }))
                highMs = middleMs;
            else
                lowMs = middleMs;
        }
    }
}
