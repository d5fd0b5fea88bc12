namespace Coordinator.Raft.Tracker;

/// <summary>
/// The append messages on their way to one follower, oldest first: the last index and the bytes of each.
/// Invariant: indexes ascend; nothing is added when full; at least one message may always be on its way.
/// </summary>
internal sealed class Inflights(int maxMessages, long maxBytes)
{
    private (long Index, long Bytes)[] _ring = [];
    private int _start;
    private long _bytes;
    private int _window = int.MaxValue;

    public int Count { get; private set; }

    /// <summary>A byte limit of 0 is none. The message that reaches it is the last.</summary>
    public bool IsFull => Count >= Math.Min(_window, maxMessages) || (maxBytes != 0 && _bytes >= maxBytes);

    public void Add(long index, long bytes)
    {
        Invariant.Require(!IsFull, $"{Count} messages of {_bytes} bytes in flight are the limit");
        if (Count == _ring.Length)
        {
            Grow();
        }

        _ring[(_start + Count) % _ring.Length] = (index, bytes);
        Count++;
        _bytes += bytes;
    }

    /// <summary>Everything up to an index has arrived.</summary>
    public void FreeThrough(long index)
    {
        while (Count > 0 && _ring[_start].Index <= index)
        {
            _bytes -= _ring[_start].Bytes;
            _start = (_start + 1) % _ring.Length;
            Count--;
        }
    }

    public void Clear()
    {
        _start = 0;
        Count = 0;
        _bytes = 0;
    }

    /// <summary>
    /// A message was rejected: one at a time from here. Where the network reorders, a full window would be rejected in
    /// part, and sent again for each part of it that is not, and so on without end.
    /// </summary>
    public void Narrow() => _window = 1;

    /// <summary>A message arrived: twice as many at a time, up to the limit.</summary>
    public void Widen() => _window = _window > maxMessages / 2 ? int.MaxValue : _window * 2;

    private void Grow()
    {
        int size = (int)Math.Min(maxMessages, Math.Max(4L, _ring.Length * 2L));
        (long, long)[] larger = new (long, long)[size];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = _ring[(_start + i) % _ring.Length];
        }

        _ring = larger;
        _start = 0;
    }
}
