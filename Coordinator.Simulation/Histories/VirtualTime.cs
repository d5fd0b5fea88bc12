using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Histories;

/// <summary>The simulation's real time for those who ask a <see cref="TimeProvider"/>.</summary>
internal sealed class VirtualTime(EventQueue events) : TimeProvider
{
    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => events.NowUs;
}
