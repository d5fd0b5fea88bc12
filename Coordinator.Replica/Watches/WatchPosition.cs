using Coordinator.Contracts;

namespace Coordinator.Replica;

/// <summary>
/// Where a watcher stands, in the words of the request that asks for its next page. Invariant: all that the request no
/// longer asks for is on the pages that the position was advanced by.
/// </summary>
public sealed class WatchPosition(Watch watch)
{
    private Watch _next = watch.Clone();

    /// <summary>A first page was had.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Never changed afterwards: a replica may still look at it.</summary>
    public Watch Next() => _next;

    public void Advance(WatchPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        HasBegun = true;
        Watch next = _next.Clone();
        next.SeenIndex = Math.Max(next.SeenIndex, page.Position.Index);
        if (next.Config is { } config)
            config.FromRevision = page.NextRevision;
        if (next.Election is { } election && page.Election is { } leader)
            election.Seen = leader;
        if (next.Session is { } session && page.Session is { } notices)
            session.SeenNotice = notices.Notice;
        _next = next;
    }
}
