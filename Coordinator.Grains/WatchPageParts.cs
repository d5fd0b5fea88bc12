using Coordinator.Contracts;

namespace Coordinator.Grains;

/// <summary>
/// Cuts a page into parts that fit a frame. A revision that is larger than a part goes on several: until the last of them
/// has come it counts as not told, so that a watcher who loses its connection between them gets all of it again.
/// </summary>
internal static class WatchPageParts
{
    /// <summary>Most bytes of events on a part; one event is never cut, whatever its size.</summary>
    public const int PartBytesMax = 1024 * 1024;

    /// <summary>What an event takes on a page besides itself.</summary>
    private const int EventOverhead = 8;

    public static IEnumerable<WatchPage> Split(WatchPage page)
    {
        int first = 0;
        int bytes = 0;
        for (int i = 0; i < page.Events.Count; i++)
        {
            int size = page.Events[i].CalculateSize() + EventOverhead;
            if (i > first && bytes + size > PartBytesMax)
            {
                yield return Part(page, first, i);
                (first, bytes) = (i, 0);
            }
            bytes += size;
        }
        yield return first == 0 ? page : Part(page, first, page.Events.Count);
    }

    private static WatchPage Part(WatchPage page, int first, int end)
    {
        WatchPage part = new() { Position = page.Position, NextRevision = page.NextRevision };
        for (int i = first; i < end; i++)
            part.Events.Add(page.Events[i]);
        if (end == page.Events.Count)
            return part;
        // All below the first event that is still to come has been told.
        part.NextRevision = page.Events[end].Entry.ModifyRevision;
        part.Continues = page.Events[end - 1].Entry.ModifyRevision == part.NextRevision;
        return part;
    }
}
