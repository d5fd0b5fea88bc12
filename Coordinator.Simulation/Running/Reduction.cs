using System.Globalization;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Faults;
using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Running;

/// <summary>
/// What is left of a seed's run where parts of it are left out. Invariant: what is kept makes the same choices as in the
/// whole run, as far as it meets the same state.
/// </summary>
internal sealed record Reduction
{
    public static readonly Reduction None = new();

    /// <summary>The numbers of the faults that are kept; null: all.</summary>
    public IReadOnlyList<int>? Faults { get; init; }

    /// <summary>The numbers of the clients that are kept; null: all.</summary>
    public IReadOnlyList<int>? Clients { get; init; }

    /// <summary>When the cluster is healed, if that is earlier than the seed says.</summary>
    public long? UntilMs { get; init; }

    /// <summary>Between faults the network loses, repeats and holds up nothing.</summary>
    public bool IsCalm { get; init; }

    public Scenario Of(Scenario scenario) => scenario with
    {
        SafetyUs = Math.Min(scenario.SafetyUs, UntilUs),
        Network = IsCalm ? new NetworkFaults() : scenario.Network,
    };

    public IReadOnlyList<PlannedFault> Of(IReadOnlyList<PlannedFault> plan) =>
        [.. plan.Where(fault => fault.AtUs < UntilUs && (Faults is null || Faults.Contains(fault.Number)))];

    public bool KeepsClient(int number) => Clients is null || Clients.Contains(number);

    private long UntilUs => (UntilMs * 1_000) ?? long.MaxValue;

    /// <summary>As the command line takes it.</summary>
    public string ToArguments() => string.Concat(
        Faults is null ? "" : $" --faults {List(Faults)}",
        Clients is null ? "" : $" --clients {List(Clients)}",
        UntilMs is { } untilMs ? $" --until {untilMs.ToString(CultureInfo.InvariantCulture)}" : "",
        IsCalm ? " --calm" : "");

    private static string List(IReadOnlyList<int> numbers) => numbers.Count == 0 ? "none" : string.Join(',', numbers);
}
