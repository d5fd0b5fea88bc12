namespace Coordinator.Replica.State;

/// <summary>
/// Walks the keys of a prefix as they were at a revision, in ordinal order: the present keys and those that the history
/// knows, side by side. Only while the store is not changed.
/// </summary>
internal ref struct ConfigCursor
{
    private readonly string _prefix;
    private readonly long _revision;
    private SortedBlocks<string, ConfigRecord, OrdinalOrder>.Cursor _present;
    private SortedBlocks<string, ChangeQueue, OrdinalOrder>.Cursor _changed;
    private bool _hasPresent;
    private bool _hasChanged;

    /// <param name="after">Begins behind this key, if it is not empty.</param>
    /// <param name="revision">0: as it is now.</param>
    public ConfigCursor(ConfigStore store, string prefix, string after, long revision)
    {
        _prefix = prefix;
        _revision = revision;
        _present = StateQueries.Start(store.Records, prefix, after);
        _changed = StateQueries.Start(store.History.ByKey, prefix, after);
        MovePresent();
        if (revision != 0)
            MoveChanged();
        Key = "";
        Current = null!;
    }

    public string Key { get; private set; }

    public ConfigRecord Current { get; private set; }

    public bool MoveNext()
    {
        while (_hasPresent || _hasChanged)
        {
            int order = !_hasChanged ? -1 : !_hasPresent ? 1 : string.CompareOrdinal(_present.Key, _changed.Key);
            Key = order <= 0 ? _present.Key : _changed.Key;
            ConfigRecord? record = order <= 0 ? _present.Current : null;
            if (order >= 0 && ConfigHistory.ChangedSince(_changed.Current, _revision, out ConfigRecord? then))
                record = then;
            if (order <= 0)
                MovePresent();
            if (order >= 0)
                MoveChanged();
            if (record is null)
                continue;
            Current = record;
            return true;
        }
        return false;
    }

    private void MovePresent() =>
        _hasPresent = _present.MoveNext() && _present.Key.StartsWith(_prefix, StringComparison.Ordinal);

    private void MoveChanged() =>
        _hasChanged = _changed.MoveNext() && _changed.Key.StartsWith(_prefix, StringComparison.Ordinal);
}
