namespace Coordinator.Replica.State;

/// <summary>Changes in the order of their revisions: added at the end, dropped from the front.</summary>
internal sealed class ChangeQueue
{
    private ConfigChange?[] _items = [];
    private int _start;

    public int Count { get; private set; }

    public ConfigChange this[int i] => _items[_start + i]!;

    public void Add(ConfigChange change)
    {
        if (_start + Count == _items.Length)
            MakeRoom();
        _items[_start + Count++] = change;
    }

    public void DropFirst()
    {
        _items[_start++] = null;
        if (--Count == 0)
            (_items, _start) = ([], 0);
    }

    /// <summary>The index of the first change above the revision; <see cref="Count"/>: there is none.</summary>
    public int FirstAbove(long revision)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (this[middle].Revision <= revision)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private void MakeRoom()
    {
        ConfigChange?[] roomy = _start > _items.Length / 2 ? _items : new ConfigChange?[Math.Max(1, _items.Length * 2)];
        Array.Copy(_items, _start, roomy, 0, Count);
        Array.Clear(roomy, Count, roomy.Length - Count);
        _items = roomy;
        _start = 0;
    }
}
