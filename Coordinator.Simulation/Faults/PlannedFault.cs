using System.Globalization;

namespace Coordinator.Simulation.Faults;

/// <summary>One occurrence of a fault. Its number names it in a run that leaves others out.</summary>
/// <param name="Seed">Of its own choices, so that leaving one fault out changes no other.</param>
internal sealed record PlannedFault(int Number, long AtUs, FaultKind Kind, ulong Seed)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"fault {Number} at {AtUs / 1e6:0.000} s: {Kind}");
}
