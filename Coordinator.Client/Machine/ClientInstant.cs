namespace Coordinator.Client.Machine;

/// <summary>
/// One moment on two clocks. Both can be wrong in their own way: the monotonic one may stand still while the machine
/// sleeps, the wall clock may be set. Invariant: what has passed is the larger of the two, so that neither a sleep nor
/// a clock set back makes a session look younger than it is (rule 13).
/// </summary>
/// <param name="Monotonic">Since any fixed moment.</param>
/// <param name="Wall">Since 1970-01-01 UTC.</param>
internal readonly record struct ClientInstant(TimeSpan Monotonic, TimeSpan Wall)
{
    public TimeSpan Since(ClientInstant earlier)
    {
        TimeSpan monotonic = Monotonic - earlier.Monotonic;
        TimeSpan wall = Wall - earlier.Wall;
        return monotonic > wall ? monotonic : wall;
    }
}
