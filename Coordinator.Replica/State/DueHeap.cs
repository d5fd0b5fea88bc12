namespace Coordinator.Replica.State;

/// <summary>
/// What ends at a log time: a session, or a bounded wait. <see cref="Id"/> is the index of the entry that created it,
/// so no two are equal in the order (<see cref="DueUs"/>, <see cref="Id"/>).
/// </summary>
internal abstract class DueItem(long id)
{
    public const int NotInHeap = -1;

    public long Id { get; } = id;

    /// <summary>Ends when log time reaches this; <see cref="long.MaxValue"/>: not by time.</summary>
    public long DueUs { get; set; } = long.MaxValue;

    /// <summary>The heap's own note of where this is.</summary>
    public int Slot { get; set; } = NotInHeap;
}

/// <summary>
/// A binary heap whose items know their slots, so that one can be moved or taken out: it holds exactly what is alive,
/// however often sessions are kept alive. The order is total, so what comes out does not depend on the heap's shape.
/// </summary>
internal sealed class DueHeap
{
    private readonly List<DueItem> _items = [];

    public int Count => _items.Count;

    /// <summary>The earliest due time; <see cref="long.MaxValue"/>: there is none.</summary>
    public long NextDueUs => _items.Count == 0 ? long.MaxValue : _items[0].DueUs;

    /// <summary>The next to end at <paramref name="logTimeUs"/>; it stays in the heap until it is removed.</summary>
    public DueItem? PeekDue(long logTimeUs) => _items.Count > 0 && _items[0].DueUs <= logTimeUs ? _items[0] : null;

    public void Add(DueItem item)
    {
        if (item.Slot != DueItem.NotInHeap)
            throw new InvalidOperationException($"Item {item.Id} is in the heap already.");
        _items.Add(item);
        MoveUp(item, _items.Count - 1);
    }

    public void Postpone(DueItem item, long dueUs)
    {
        if (dueUs < item.DueUs)
            throw new InvalidOperationException($"Item {item.Id} may only be postponed.");
        item.DueUs = dueUs;
        MoveDown(item, item.Slot);
    }

    /// <summary>Takes <paramref name="item"/> out, if it is in.</summary>
    public void Remove(DueItem item)
    {
        int slot = item.Slot;
        if (slot == DueItem.NotInHeap)
            return;
        item.Slot = DueItem.NotInHeap;
        DueItem last = _items[^1];
        _items.RemoveAt(_items.Count - 1);
        if (ReferenceEquals(last, item))
            return;
        MoveUp(last, slot);
        MoveDown(last, last.Slot);
    }

    private void MoveUp(DueItem item, int slot)
    {
        while (slot > 0)
        {
            int parent = (slot - 1) / 2;
            if (!IsBefore(item, _items[parent]))
                break;
            Place(_items[parent], slot);
            slot = parent;
        }
        Place(item, slot);
    }

    private void MoveDown(DueItem item, int slot)
    {
        while (true)
        {
            int child = 2 * slot + 1;
            if (child >= _items.Count)
                break;
            if (child + 1 < _items.Count && IsBefore(_items[child + 1], _items[child]))
                child++;
            if (!IsBefore(_items[child], item))
                break;
            Place(_items[child], slot);
            slot = child;
        }
        Place(item, slot);
    }

    private void Place(DueItem item, int slot)
    {
        _items[slot] = item;
        item.Slot = slot;
    }

    private static bool IsBefore(DueItem x, DueItem y) => x.DueUs < y.DueUs || (x.DueUs == y.DueUs && x.Id < y.Id);
}
