namespace Coordinator.Replica;

/// <summary>
/// Holds what may count only after this activation has seen, on the primary, that it still owns its row (rule 6).
/// Invariant: an item is released only by a read, or a fenced write, that began after the item was added; otherwise two
/// stale activations would confirm each other and serve an old value as linearizable.
/// </summary>
internal sealed class EpochGate
{
    private const int ItemsMax = 4096;

    private readonly Queue<GatedItem> _items = new();
    private long _added;
    private long _released;
    private long _coveredByRead;
    private long _coveredByWrite;

    public bool ReadInFlight { get; private set; }

    public bool IsEmpty => _items.Count == 0;

    /// <summary>When the read or write began that last confirmed the epoch.</summary>
    public long ConfirmedUs { get; private set; }

    private long _readBegunUs;
    private long _writeBegunUs;

    public void Reset(long nowUs)
    {
        _items.Clear();
        _released = _added;
        ReadInFlight = false;
        ConfirmedUs = nowUs;
    }

    /// <summary>Nothing was asked of the storage for a while: that it has answered nothing since is no silence of its own.</summary>
    public void Resume(long nowUs) => ConfirmedUs = nowUs;

    public void Add(GatedItem item)
    {
        // Losing the oldest is losing a message: its round is asked again.
        if (_items.Count == ItemsMax)
        {
            _items.Dequeue();
            _released++;
        }
        _items.Enqueue(item);
        _added++;
    }

    public void ReadBegins(long nowUs)
    {
        ReadInFlight = true;
        _coveredByRead = _added;
        _readBegunUs = nowUs;
    }

    public void WriteBegins(long nowUs)
    {
        _coveredByWrite = _added;
        _writeBegunUs = nowUs;
    }

    public void ReadFailed() => ReadInFlight = false;

    public void ReadConfirmed(List<GatedItem> released)
    {
        ReadInFlight = false;
        Release(_coveredByRead, _readBegunUs, released);
    }

    public void WriteConfirmed(List<GatedItem> released) => Release(_coveredByWrite, _writeBegunUs, released);

    private void Release(long covered, long begunUs, List<GatedItem> released)
    {
        ConfirmedUs = Math.Max(ConfirmedUs, begunUs);
        while (_released < covered)
        {
            released.Add(_items.Dequeue());
            _released++;
        }
    }
}

/// <summary>One of: a heartbeat answer of a ReadIndex round, or the leader's own part in a round.</summary>
internal readonly record struct GatedItem(Envelope? Answer, ReadRound? Round);
