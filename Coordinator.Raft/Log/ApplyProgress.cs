namespace Coordinator.Raft.Log;

/// <summary>
/// How far committed entries have been handed out, and applied, and how many bytes lie between.
/// Invariant: Applied &lt;= Applying; no more is handed out while Paused.
/// </summary>
internal sealed class ApplyProgress(long applied, long maxBytes)
{
    private long _bytes;

    /// <summary>The application has applied up to here.</summary>
    public long Applied { get; private set; } = applied;

    /// <summary>Handed out up to here.</summary>
    public long Applying { get; private set; } = applied;

    public bool Paused { get; private set; }

    /// <summary>How many bytes may be handed out next.</summary>
    public long Room => maxBytes - _bytes;

    /// <summary>
    /// Entries were handed out; <paramref name="appliable"/> is how far it would have gone without a limit.
    /// </summary>
    public void Started(EntrySlice entries, long appliable)
    {
        Applying = entries.Last.Index;
        _bytes += EntrySize.Encoded(entries.Span);
        Paused = _bytes >= maxBytes || Applying < appliable;
    }

    public void Finished(long index, long bytes)
    {
        Applied = index;
        Applying = Math.Max(Applying, index);
        _bytes = Math.Max(0, _bytes - bytes);
        Paused = _bytes >= maxBytes;
    }
}
