using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>What one revision did to one key. Both are never null; previous is, when it was not asked for.</summary>
internal readonly record struct ConfigEvent(string Key, ConfigRecord? Current, ConfigRecord? Previous);

/// <summary>All that one revision did to the keys that were asked for, in the order of keys; never nothing.</summary>
internal sealed record RevisionEvents(long Revision, IReadOnlyList<ConfigEvent> Events);

/// <param name="Error">
/// <see cref="ErrorCode.Compacted"/> or <see cref="ErrorCode.RevisionInFuture"/>: there are no events then.
/// </param>
/// <param name="NextRevision">
/// From where to read on: every event below it has been read (a progress mark, rule 22). One above the group's revision
/// when all has been read.
/// </param>
internal readonly record struct ConfigEventPage(
    ErrorCode Error, IReadOnlyList<RevisionEvents> Revisions, long NextRevision)
{
    /// <summary>Most changes that one page looks at, a revision that is begun aside: bounds the time of a read.</summary>
    public const int ChangesReadMax = 10_000;

    private const int EventBytes = 64;

    /// <summary>The events of one key, or of all keys with a prefix, from a revision on, whole revisions only.</summary>
    /// <param name="key">An empty prefix: of all keys.</param>
    /// <param name="bytesMax">The page ends behind the revision that exceeds it, so that it always gets on.</param>
    public static ConfigEventPage Read(
        ConfigStore store, string key, bool isPrefix, long fromRevision, int bytesMax, bool withPrevious)
    {
        // The revision after the present one is where a watcher waits that has seen all.
        if (fromRevision > store.Revision + 1)
            return new ConfigEventPage(ErrorCode.RevisionInFuture, [], fromRevision);
        if (fromRevision <= store.History.CompactedRevision)
            return new ConfigEventPage(ErrorCode.Compacted, [], fromRevision);
        var reader = new Reader(bytesMax, withPrevious);
        if (isPrefix)
        {
            for (int i = store.History.FirstAbove(fromRevision - 1); i < store.History.Count; i++)
            {
                ConfigChange change = store.History[i];
                if (reader.EndsBefore(change.Revision))
                    return reader.Page(change.Revision);
                if (change.Key.StartsWith(key, StringComparison.Ordinal))
                    reader.Add(change);
            }
        }
        else if (store.History.ByKey.TryGet(key, out ChangeQueue? changes))
        {
            for (int i = changes.FirstAbove(fromRevision - 1); i < changes.Count; i++)
            {
                if (reader.EndsBefore(changes[i].Revision))
                    return reader.Page(changes[i].Revision);
                reader.Add(changes[i]);
            }
        }
        return reader.Page(store.Revision + 1);
    }

    private sealed class Reader(int bytesMax, bool withPrevious)
    {
        private readonly List<RevisionEvents> _revisions = [];
        private List<ConfigEvent> _events = [];
        private long _bytes;
        private int _looked;
        private long _revision;

        // Only between revisions: a page has all of a revision or nothing of it.
        public bool EndsBefore(long revision)
        {
            bool isBetween = _looked > 0 && revision != _revision;
            bool isFull = _bytes >= bytesMax || _looked >= ChangesReadMax;
            _revision = revision;
            _looked++;
            return isBetween && isFull;
        }

        public void Add(ConfigChange change)
        {
            if (_revisions.Count == 0 || _revisions[^1].Revision != change.Revision)
                _revisions.Add(new RevisionEvents(change.Revision, _events = []));
            ConfigRecord? previous = withPrevious ? change.Before : null;
            _events.Add(new ConfigEvent(change.Key, change.After, previous));
            _bytes += EventBytes + change.Key.Length + (change.After?.Value.Length ?? 0) + (previous?.Value.Length ?? 0);
        }

        public ConfigEventPage Page(long nextRevision) => new(ErrorCode.Ok, _revisions, nextRevision);
    }
}
