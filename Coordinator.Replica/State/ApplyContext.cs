namespace Coordinator.Replica.State;

/// <summary>The entry being applied: its index, the log time that its stamp made, and where its effects go.</summary>
internal readonly record struct ApplyContext(long Index, long LogTimeUs, ApplyEffects Effects)
{
    /// <summary>The log time after so long; one beyond the end of time is its end.</summary>
    public static long After(long fromUs, long spanUs) => fromUs > long.MaxValue - spanUs ? long.MaxValue : fromUs + spanUs;
}
