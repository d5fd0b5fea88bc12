using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// The group's configuration: keys in ordinal order, and what they were before. Invariants: <see cref="Revision"/> rises
/// by one with each change and with nothing else; a key that is bound to a session is in that session's set.
/// </summary>
internal sealed class ConfigStore(StateSettings settings, long compactedRevision, long revision)
{
    private const int ContentTypesKept = 256;

    private static readonly SortedSet<string> NoKeys = [];

    // Only ever asked for a text that is at hand, never walked: no order of hashes shows.
    private readonly Dictionary<string, string> _contentTypes = new(StringComparer.Ordinal);

    private readonly SortedBlocks<long, SortedSet<string>, Int64Order> _bySession = new();
    private readonly SeededBug _planted = SeededBugs.Planted;
    private readonly SortedBlocks<string, ConfigRecord, OrdinalOrder> _records = new();
    private ulong _recordsHash;
    private int _tidied;

    public SortedBlocks<string, ConfigRecord, OrdinalOrder> Records => _records;

    public ConfigHistory History { get; } = new(compactedRevision);

    public StateSettings Settings => settings;

    public long Revision { get; private set; } = revision;

    /// <summary>
    /// The sum of the hashes of all records and of all changes that are kept: the same whatever order they came in, so
    /// that a change costs no more than the record that it changes.
    /// </summary>
    public ulong ContentsHash => _recordsHash + History.Hash;

    public ConfigRecord? Find(string key) => _records.TryGet(key, out ConfigRecord? record) ? record : null;

    /// <summary>The keys that end with the session, in their order.</summary>
    public IReadOnlySet<string> KeysOf(long sessionId) =>
        _bySession.TryGet(sessionId, out SortedSet<string>? keys) ? keys : NoKeys;

    /// <summary>Null when what a revision holds can be read; otherwise why not.</summary>
    public ErrorCode? WhyUnreadable(long asked) =>
        asked > Revision ? ErrorCode.RevisionInFuture
        : asked < History.CompactedRevision ? ErrorCode.Compacted
        : null;

    /// <summary>Everything that a draft changes, as one revision; nothing if it changes nothing.</summary>
    public void Commit(ConfigDraft draft, long logTimeUs)
    {
        if (draft.Changes.Count == 0)
            return;
        Revision++;
        foreach ((string key, ConfigRecord? after) in draft.Changes)
        {
            ConfigRecord? before = Find(key);
            if (before is not null)
                Remove(key, before, isReplaced: after is not null);
            if (after is not null)
                Insert(key, after, isNew: before is null);
            History.Add(new ConfigChange(key, Revision, logTimeUs, before, after));
        }
    }

    /// <summary>At the end of each entry: what the limits no longer allow is compacted.</summary>
    public void Tidy(long logTimeUs)
    {
        if (_planted != SeededBug.CompactsAtOwnPace || ++_tidied % 8 == 0)
            History.Compact(settings, Revision, logTimeUs);
        History.DropBacklog();
    }

    /// <summary>From a snapshot.</summary>
    public void Restore(string key, ConfigRecord record) => Insert(key, record, isNew: true);

    /// <summary>A million keys share a few content types: one string each, not a million.</summary>
    public string OneInstance(string contentType)
    {
        if (_contentTypes.TryGetValue(contentType, out string? kept))
            return kept;
        if (_contentTypes.Count < ContentTypesKept)
            _contentTypes.Add(contentType, contentType);
        return contentType;
    }

    private void Insert(string key, ConfigRecord record, bool isNew)
    {
        if (isNew)
            _records.Add(key, record);
        else
            _records.Replace(key, record);
        _recordsHash += record.HashWith(key);
        if (record.SessionId == 0)
            return;
        if (!_bySession.TryGet(record.SessionId, out SortedSet<string>? keys))
            _bySession.Add(record.SessionId, keys = new SortedSet<string>(StringComparer.Ordinal));
        keys.Add(key);
    }

    private void Remove(string key, ConfigRecord record, bool isReplaced)
    {
        if (!isReplaced)
            _records.Remove(key);
        if (isReplaced || _planted != SeededBug.HashForgetsDeletes)
            _recordsHash -= record.HashWith(key);
        if (record.SessionId == 0 || !_bySession.TryGet(record.SessionId, out SortedSet<string>? keys))
            return;
        keys.Remove(key);
        if (keys.Count == 0)
            _bySession.Remove(record.SessionId);
    }
}
