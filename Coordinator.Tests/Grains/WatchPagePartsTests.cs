using Coordinator.Contracts;
using Coordinator.Grains;
using Google.Protobuf;

namespace Coordinator.Tests.Grains;

public sealed class WatchPagePartsTests
{
    private static readonly Position Here = new() { Index = 7 };

    [Fact]
    public void A_page_that_fits_is_left_as_it_is()
    {
        WatchPage page = Page(next: 9, (8, 1000), (8, 1000));

        Assert.Same(page, Assert.Single(WatchPageParts.Split(page)));
        Assert.Single(WatchPageParts.Split(Page(next: 9)));
    }

    [Fact]
    public void A_part_holds_what_fits_and_one_byte_more_goes_on_the_next()
    {
        WatchPage fits = Page(next: 9, (8, 1000), (8, 0));
        int room = WatchPageParts.PartBytesMax - fits.Events.Sum(told => told.CalculateSize() + 8);
        // Longer values have longer lengths before them, in the value, the entry and the event.
        int value = room - 20;
        while (Size(Page(next: 9, (8, 1000), (8, value))) < WatchPageParts.PartBytesMax)
            value++;

        int[] parts = [.. new[] { value, value + 1 }
            .Select(bytes => WatchPageParts.Split(Page(next: 9, (8, 1000), (8, bytes))).Count())];
        Assert.Equal([1, 2], parts);
    }

    [Fact]
    public void A_revision_larger_than_a_part_counts_as_told_with_its_last_one()
    {
        WatchPage[] parts = [.. WatchPageParts.Split(
            Page(next: 20, (10, 100), (11, 700_000), (11, 700_000), (11, 700_000), (12, 700_000)))];

        Assert.Equal([11L, 11L, 12L, 20L], parts.Select(part => part.NextRevision));
        Assert.Equal([true, true, false, false], parts.Select(part => part.Continues));
        Assert.Equal([2, 1, 1, 1], parts.Select(part => part.Events.Count));
        Assert.All(parts, part => Assert.Equal(Here, part.Position));
    }

    private static int Size(WatchPage page) => page.Events.Sum(told => told.CalculateSize() + 8);

    private static WatchPage Page(long next, params (long Revision, int Bytes)[] events) => new()
    {
        Position = Here,
        NextRevision = next,
        Events =
        {
            events.Select((told, i) => new ConfigEvent
            {
                Entry = new ConfigEntry
                {
                    Key = $"k{i}",
                    ModifyRevision = told.Revision,
                    Value = ByteString.CopyFrom(new byte[told.Bytes]),
                },
            }),
        },
    };
}
