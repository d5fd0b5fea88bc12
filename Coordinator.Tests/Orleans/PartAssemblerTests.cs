using Coordinator.Grains.Orleans;

namespace Coordinator.Tests.Orleans;

/// <summary>Snapshots that travel in parts.</summary>
public sealed class PartAssemblerTests
{
    private readonly PartAssembler _parts = new();

    [Theory]
    [InlineData(1)]
    [InlineData(PartAssembler.PartBytes)]
    [InlineData(PartAssembler.PartBytes + 1)]
    [InlineData((5 * PartAssembler.PartBytes) - 7)]
    public void A_message_is_whole_with_its_last_part_whatever_the_order(int bytes)
    {
        byte[] message = new byte[bytes];
        new Random(bytes).NextBytes(message);
        byte[][] parts = [.. PartAssembler.Split(message)];
        int[] order = [.. Enumerable.Range(0, parts.Length)];
        new Random(bytes).Shuffle(order);
        foreach (int part in order[..^1])
            Assert.Null(_parts.Add(1, 1, part, parts.Length, parts[part]));
        Assert.Equal(message, _parts.Add(1, 1, order[^1], parts.Length, parts[order[^1]]));
    }

    [Fact]
    public void A_later_message_of_the_sender_gives_the_earlier_up_and_other_senders_are_apart()
    {
        Assert.Null(_parts.Add(1, 1, 0, 2, [1]));
        Assert.Null(_parts.Add(2, 1, 0, 2, [9]));
        Assert.Null(_parts.Add(1, 2, 1, 2, [4]));
        Assert.Null(_parts.Add(1, 1, 1, 2, [2]));
        Assert.Equal([3, 4], _parts.Add(1, 2, 0, 2, [3]));
        Assert.Equal([9, 8], _parts.Add(2, 1, 1, 2, [8]));
    }

    [Fact]
    public void A_part_that_comes_twice_counts_once()
    {
        Assert.Null(_parts.Add(1, 1, 0, 2, [1]));
        Assert.Null(_parts.Add(1, 1, 0, 2, [1]));
        Assert.Equal([1, 2], _parts.Add(1, 1, 1, 2, [2]));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(-1, 2)]
    [InlineData(0, 1_000_000)]
    public void A_part_that_cannot_be_is_refused(int part, int parts) =>
        Assert.Throws<ArgumentException>(() => _parts.Add(1, 1, part, parts, [1]));
}
