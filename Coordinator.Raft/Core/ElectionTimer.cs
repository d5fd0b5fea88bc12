namespace Coordinator.Raft.Core;

/// <summary>
/// Ticks since a follower heard its leader, a candidate campaigned, or a leader last checked its quorum.
/// Invariant: Timeout &lt;= Randomized &lt; 2 * Timeout, so that candidates rarely campaign together (Raft §5.2).
/// </summary>
internal sealed class ElectionTimer(int timeout, ulong seed)
{
    private SplitMix64 _random = new(seed);

    public int Timeout { get; } = timeout;

    public int Elapsed { get; private set; }

    public int Randomized { get; private set; } = timeout;

    /// <summary>A leader was heard lately enough to trust that it leads.</summary>
    public bool WithinLease => Elapsed < Timeout;

    public bool IsExpired => Elapsed >= Randomized;

    public void Tick() => Elapsed++;

    public void Restart() => Elapsed = 0;

    /// <summary>Starts again with another time-out.</summary>
    public void Redraw()
    {
        Elapsed = 0;
        Randomized = Timeout + _random.Next(Timeout);
    }

    /// <summary>For transcripts, which fix what is random.</summary>
    public void Override(int randomized) => Randomized = randomized;
}
