namespace Coordinator.Simulation.Engine;

/// <summary>When an event happens. The sequence number breaks ties, so that the order never depends on a heap's inside.</summary>
internal readonly record struct Moment(long TimeUs, long Sequence) : IComparable<Moment>
{
    public int CompareTo(Moment other)
    {
        int byTime = TimeUs.CompareTo(other.TimeUs);
        return byTime != 0 ? byTime : Sequence.CompareTo(other.Sequence);
    }

    public static bool operator <(Moment left, Moment right) => left.CompareTo(right) < 0;
    public static bool operator >(Moment left, Moment right) => left.CompareTo(right) > 0;
    public static bool operator <=(Moment left, Moment right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Moment left, Moment right) => left.CompareTo(right) >= 0;
}
