using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class DueHeapTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_due_comes_in_the_order_of_time_then_id_whatever_was_moved_or_taken_out(int seed)
    {
        var random = new Random(seed);
        var heap = new DueHeap();
        var model = new List<Item>();
        for (int id = 1; id <= 20_000; id++)
        {
            switch (random.Next(model.Count < 50 ? 1 : 4))
            {
                case 0 or 1:
                    var added = new Item(id) { DueUs = random.Next(100) };
                    model.Add(added);
                    heap.Add(added);
                    break;
                case 2:
                    Item postponed = model[random.Next(model.Count)];
                    heap.Postpone(postponed, postponed.DueUs + random.Next(100));
                    break;
                default:
                    Item removed = model[random.Next(model.Count)];
                    model.Remove(removed);
                    heap.Remove(removed);
                    heap.Remove(removed);
                    break;
            }
            if (id % 500 == 0)
                Drain(heap, model, random.Next(150));
        }
        Drain(heap, model, long.MaxValue);
        Assert.Equal((0, long.MaxValue), (heap.Count, heap.NextDueUs));
    }

    [Fact]
    public void A_deadline_is_never_moved_nearer()
    {
        var heap = new DueHeap();
        var item = new Item(1) { DueUs = 10 };
        heap.Add(item);

        Assert.Throws<InvalidOperationException>(() => heap.Postpone(item, 9));
        Assert.Throws<InvalidOperationException>(() => heap.Add(item));
    }

    private static void Drain(DueHeap heap, List<Item> model, long logTime)
    {
        Item[] due = [.. model.Where(item => item.DueUs <= logTime).OrderBy(item => item.DueUs).ThenBy(item => item.Id)];
        foreach (Item expected in due)
        {
            Assert.Equal(expected.DueUs, heap.NextDueUs);
            Assert.Same(expected, heap.PeekDue(logTime));
            heap.Remove(expected);
            model.Remove(expected);
        }
        Assert.Null(heap.PeekDue(logTime));
        Assert.Equal(model.Count, heap.Count);
    }

    private sealed class Item(long id) : DueItem(id);
}
