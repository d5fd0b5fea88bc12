using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// The changes of a key, or of all keys with a prefix. Invariants: a revision is delivered whole, once, after all before
/// it; everything below <see cref="_next"/> has been.
/// </summary>
internal sealed class ConfigStream(WatchConfig watch, bool reportProgress = false) : StreamOperation
{
    // The first revision that is not delivered; 0: the cluster has not said yet where "from now" begins.
    private long _next = watch.FromRevision;

    // Of the revision that has begun on a page and continues on the next one.
    private readonly List<ConfigEvent> _half = [];

    private long HalfRevision => _half.Count == 0 ? 0 : _half[0].Entry.ModifyRevision;

    public override Watch Resume()
    {
        _half.Clear();
        WatchConfig again = watch.Clone();
        again.FromRevision = _next;
        return new Watch { Config = again };
    }

    public override IReadOnlyList<StreamItem> Take(WatchPage page)
    {
        List<StreamItem> items = [];
        foreach (ConfigEvent change in page.Events)
        {
            long revision = change.Entry?.ModifyRevision ?? 0;
            if (_half.Count > 0 && revision != HalfRevision)
                Finish(items);
            if (revision >= _next && revision > 0)
                _half.Add(change);
        }
        if (!page.Continues && _half.Count > 0)
            Finish(items);
        // A mark within a revision is not reached before the rest of it has come.
        long mark = _half.Count == 0 ? page.NextRevision : Math.Min(page.NextRevision, HalfRevision);
        if (mark > _next)
        {
            _next = mark;
            if (reportProgress)
                items.Add(new StreamItem.Revision(mark - 1, []));
        }
        return items;
    }

    private void Finish(List<StreamItem> items)
    {
        long revision = HalfRevision;
        items.Add(new StreamItem.Revision(revision, _half.ToArray()));
        _half.Clear();
        _next = revision + 1;
    }
}
