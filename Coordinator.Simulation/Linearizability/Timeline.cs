namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// The invocations and returns, in order, of the operations with a known outcome that have no place yet: a doubly
/// linked list in arrays. Operation i's invocation is entry 2i, its return entry 2i + 1. Invariant: lifts are undone
/// in the reverse order, so that a lifted entry's neighbours are again those that it still remembers.
/// </summary>
internal sealed class Timeline
{
    private readonly int[] next;
    private readonly int[] previous;
    private readonly int head;

    /// <summary><paramref name="spans"/>: each operation's positions, ordered by invocation.</summary>
    public Timeline(IReadOnlyList<(int Invocation, int Return)> spans)
    {
        head = 2 * spans.Count;
        next = new int[head + 1];
        previous = new int[head + 1];
        int[] order = Enumerable.Range(0, head).ToArray();
        int[] positions = order.Select(e => IsReturn(e) ? spans[e / 2].Return : spans[e / 2].Invocation).ToArray();
        Array.Sort(positions, order);
        int last = head;
        foreach (int entry in order)
        {
            next[last] = entry;
            previous[entry] = last;
            last = entry;
        }
        next[last] = head;
        previous[head] = last;
    }

    public bool IsEmpty => next[head] == head;

    /// <summary>The operation that has to come before time can go on: the first to return.</summary>
    public int FirstToReturn
    {
        get
        {
            int entry = next[head];
            while (!IsReturn(entry))
                entry = next[entry];
            return entry / 2;
        }
    }

    /// <summary>
    /// The first operation after <paramref name="operation"/> (-1: of all) that was invoked before any return, or -1.
    /// </summary>
    public int NextOpen(int operation)
    {
        int entry = next[operation < 0 ? head : 2 * operation];
        return entry == head || IsReturn(entry) ? -1 : entry / 2;
    }

    public void Lift(int operation)
    {
        Unlink(2 * operation);
        Unlink(2 * operation + 1);
    }

    public void Unlift(int operation)
    {
        Relink(2 * operation + 1);
        Relink(2 * operation);
    }

    private static bool IsReturn(int entry) => entry % 2 == 1;

    private void Unlink(int entry)
    {
        next[previous[entry]] = next[entry];
        previous[next[entry]] = previous[entry];
    }

    private void Relink(int entry)
    {
        next[previous[entry]] = entry;
        previous[next[entry]] = entry;
    }
}
