using Coordinator.Replica.State;

namespace Coordinator.Tests.State;

public sealed class SortedBlocksTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_holds_what_a_sorted_dictionary_holds(int seed)
    {
        var random = new Random(seed);
        var map = new SortedBlocks<long, string, Int64Order>();
        var model = new SortedDictionary<long, string>();
        for (int step = 0; step < 40_000; step++)
        {
            // Grows for a while, then shrinks: blocks are split, merged and removed.
            long key = random.Next(6000);
            bool grows = step / 8000 % 2 == 0 ? random.Next(4) > 0 : random.Next(4) == 0;
            if (grows && model.TryAdd(key, $"{step}"))
                map.Add(key, $"{step}");
            else if (!grows)
                Assert.Equal(model.Remove(key), map.Remove(key));
            Assert.Equal(model.TryGetValue(key, out string? expected), map.TryGet(key, out string? found));
            Assert.Equal(expected, found);
            if (step % 1000 == 0)
                Check(map, model, random.Next(6000));
        }
        foreach (long key in model.Keys.ToArray())
            Assert.True(map.Remove(key));
        Assert.Equal(0, map.Count);
        Assert.False(map.All().MoveNext());
    }

    [Fact]
    public void Ascending_keys_and_keys_removed_from_the_front_are_found()
    {
        var map = new SortedBlocks<long, string, Int64Order>();
        for (long key = 0; key < 10_000; key++)
            map.Add(key, "v");
        for (long key = 0; key < 9_990; key++)
            Assert.True(map.Remove(key));

        Assert.Equal(Enumerable.Range(9_990, 10).Select(key => (long)key), Keys(map.All()));
    }

    [Fact]
    public void A_key_that_is_there_is_not_added_again()
    {
        var map = new SortedBlocks<long, string, Int64Order>();
        map.Add(1, "v");

        Assert.Throws<InvalidOperationException>(() => map.Add(1, "w"));
    }

    private static void Check(
        SortedBlocks<long, string, Int64Order> map, SortedDictionary<long, string> model, long key)
    {
        Assert.Equal(model.Count, map.Count);
        Assert.Equal(model.Keys, Keys(map.All()));
        Assert.Equal(model.Keys.Where(k => k >= key), Keys(map.From(key)));
        Assert.Equal(model.Keys.Where(k => k > key), Keys(map.After(key)));
    }

    private static List<long> Keys(SortedBlocks<long, string, Int64Order>.Cursor cursor)
    {
        var keys = new List<long>();
        while (cursor.MoveNext())
            keys.Add(cursor.Key);
        return keys;
    }
}
