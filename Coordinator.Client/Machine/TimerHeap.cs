namespace Coordinator.Client.Machine;

/// <summary>
/// Operations by the moment at which they want to be looked at, the earliest first; equal moments by id, so that the
/// order never depends on chance. Invariant: <see cref="Operation.HeapIndex"/> is the operation's place, or -1.
/// </summary>
internal sealed class TimerHeap
{
    private readonly List<Operation> _heap = [];

    public TimeSpan NextDue => _heap.Count == 0 ? TimeSpan.MaxValue : _heap[0].Due;

    /// <summary>Puts <paramref name="operation"/> in its place for <see cref="Operation.NextDue"/>, or takes it out.</summary>
    public void Arm(Operation operation)
    {
        TimeSpan due = operation.NextDue;
        if (due == TimeSpan.MaxValue)
        {
            Remove(operation);
            return;
        }
        operation.Due = due;
        if (operation.HeapIndex < 0)
        {
            operation.HeapIndex = _heap.Count;
            _heap.Add(operation);
        }
        Settle(operation);
    }

    public void Remove(Operation operation)
    {
        int index = operation.HeapIndex;
        if (index < 0)
            return;
        Operation last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        operation.HeapIndex = -1;
        if (last == operation)
            return;
        Place(last, index);
        Settle(last);
    }

    /// <summary>Takes out the earliest operation if it is due.</summary>
    public Operation? TakeDue(TimeSpan now)
    {
        if (_heap.Count == 0 || _heap[0].Due > now)
            return null;
        Operation first = _heap[0];
        Remove(first);
        return first;
    }

    private void Settle(Operation operation)
    {
        int index = operation.HeapIndex;
        while (index > 0 && IsBefore(operation, _heap[(index - 1) / 2]))
        {
            Place(_heap[(index - 1) / 2], index);
            index = (index - 1) / 2;
        }
        while (EarlierChild(index) is { } child && IsBefore(_heap[child], operation))
        {
            Place(_heap[child], index);
            index = child;
        }
        Place(operation, index);
    }

    private int? EarlierChild(int index)
    {
        int left = 2 * index + 1;
        if (left >= _heap.Count)
            return null;
        return left + 1 < _heap.Count && IsBefore(_heap[left + 1], _heap[left]) ? left + 1 : left;
    }

    private void Place(Operation operation, int index)
    {
        _heap[index] = operation;
        operation.HeapIndex = index;
    }

    private static bool IsBefore(Operation a, Operation b) => a.Due != b.Due ? a.Due < b.Due : a.Id < b.Id;
}
