namespace Coordinator.Simulation.Linearizability;

/// <summary>A few sessions, as a value: equal exactly if the same ones are in it. Invariant: ascending, none twice.</summary>
internal readonly struct SessionSet : IEquatable<SessionSet>
{
    private readonly long[]? sessions;

    private SessionSet(long[] sessions) => this.sessions = sessions;

    private ReadOnlySpan<long> Sessions => sessions;

    public bool Contains(long session) => Sessions.BinarySearch(session) >= 0;

    public SessionSet With(long session)
    {
        int place = ~Sessions.BinarySearch(session);
        return place < 0 ? this : new([.. Sessions[..place], session, .. Sessions[place..]]);
    }

    public bool IsSubsetOf(SessionSet other)
    {
        foreach (long session in Sessions)
        {
            if (!other.Contains(session))
                return false;
        }
        return true;
    }

    public bool Equals(SessionSet other) => Sessions.SequenceEqual(other.Sessions);

    public override bool Equals(object? obj) => obj is SessionSet other && Equals(other);

    // Enough to tell apart what a search meets: its states differ in little.
    public override int GetHashCode() => Sessions.IsEmpty ? 0 : HashCode.Combine(Sessions.Length, Sessions[^1]);
}
