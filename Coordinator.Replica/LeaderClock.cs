namespace Coordinator.Replica;

/// <summary>
/// The leader's source of stamps (rules 10, 11). Invariant: between any two readings it advances by no more than real
/// time does, so log time may lag but never runs ahead; a pause, a lost quorum or a stopped database stop it.
/// </summary>
internal sealed class LeaderClock(long electionTimeoutUs)
{
    private readonly SeededBug _planted = SeededBugs.Planted;
    private long _readAtUs;

    public bool IsRunning { get; private set; }

    public long ValueUs { get; private set; }

    /// <param name="highestStampUs">In the leader's own log, uncommitted entries and snapshot included.</param>
    public void Start(long highestStampUs, long nowUs)
    {
        IsRunning = true;
        long goneOnUs = _planted == SeededBug.DeposedClockGoesOn && ValueUs > 0 ? ValueUs + nowUs - _readAtUs : 0;
        ValueUs = Math.Max(Math.Max(highestStampUs, goneOnUs), 1);
        _readAtUs = nowUs;
    }

    public void Stop() => IsRunning = false;

    /// <summary>
    /// The group has rested, with nothing that could become due: its time counts in full, as it shortens nobody's lease.
    /// Before the first stamp after the rest, or it would shorten that one's.
    /// </summary>
    public void Resume(long nowUs)
    {
        ValueUs += Math.Max(0, nowUs - _readAtUs);
        _readAtUs = Math.Max(_readAtUs, nowUs);
    }

    /// <param name="quorumHeardUs">When a quorum last answered this leader.</param>
    /// <param name="oldestAppendUs">When the oldest append without a quorum was made; null if there is none.</param>
    public void Advance(long nowUs, long quorumHeardUs, long? oldestAppendUs)
    {
        long elapsedUs = Math.Clamp(nowUs - _readAtUs, 0, electionTimeoutUs);
        _readAtUs = Math.Max(_readAtUs, nowUs);
        bool quorumSilent = nowUs - quorumHeardUs > electionTimeoutUs;
        bool appendStuck = oldestAppendUs is { } since && nowUs - since > electionTimeoutUs;
        if (!quorumSilent && !appendStuck)
            ValueUs += elapsedUs;
    }
}
