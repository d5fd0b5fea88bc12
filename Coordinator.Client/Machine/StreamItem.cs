using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>One thing that a stream tells its consumer. All cases are here.</summary>
/// <param name="Bytes">About what it takes while it waits to be taken.</param>
internal abstract record StreamItem(long Bytes)
{
    // Of an item and of each event, beyond the bytes that came: objects, references, counters.
    private const int OverheadBytes = 128;

    /// <summary>Everything that one revision changed among the watched keys; no events: a progress mark.</summary>
    public sealed record Revision(long Number, IReadOnlyList<ConfigEvent> Events) : StreamItem(SizeOf(Events));

    public sealed record Election(ElectionState State) : StreamItem(OverheadBytes + State.CalculateSize());

    public sealed record Session(SessionNotices Notices) : StreamItem(OverheadBytes + Notices.CalculateSize());

    private static long SizeOf(IReadOnlyList<ConfigEvent> events)
    {
        long bytes = OverheadBytes;
        foreach (ConfigEvent change in events)
            bytes += OverheadBytes + change.CalculateSize();
        return bytes;
    }
}
