using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>What may still be read: by command, and by the number, the age in log time and the bytes of what is kept.</summary>
internal sealed partial class ConfigLedger
{
    private readonly Queue<(long Revision, long LogTimeUs, long Bytes)> _kept = new();
    private long _keptBytes;

    /// <summary>The oldest revision that can be read now.</summary>
    public long Compacted { get; private set; } = baseIndex;

    private void Keep(string key, ConfigEntry? before)
    {
        long bytes = key.Length + (before is null ? 0 : before.Value.Length + before.ContentType.Length);
        _kept.Enqueue((Revision, _logTimeUs, bytes));
        _keptBytes += bytes;
    }

    private void ForgetWhatIsTooMuch()
    {
        Compact(Revision - settings.HistoryRevisions);
        while (_kept.TryPeek(out (long Revision, long LogTimeUs, long Bytes) oldest)
            && (_logTimeUs - oldest.LogTimeUs > settings.HistoryAgeUs || _keptBytes > settings.HistoryBytes))
            Compact(oldest.Revision);
    }

    private void Compact(long revision)
    {
        Compacted = Math.Max(Compacted, revision);
        while (_kept.TryPeek(out (long Revision, long LogTimeUs, long Bytes) oldest) && oldest.Revision <= Compacted)
            _keptBytes -= _kept.Dequeue().Bytes;
    }
}
