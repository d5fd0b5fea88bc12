namespace Coordinator.Replica.State;

/// <summary>
/// The last part of a snapshot: the changes that are kept, the newest first. Going back from the present, what a key was
/// after a change is known, so that only what it was before has to be written: no value stands there twice.
/// </summary>
internal static class SnapshotHistory
{
    public static void Write(ConfigHistory history, SnapshotWriter writer)
    {
        writer.Int32(history.Count);
        for (int i = history.Count - 1; i >= 0; i--)
        {
            ConfigChange change = history[i];
            writer.Int64(change.Revision);
            writer.Int64(change.LogTimeUs);
            writer.Text(change.Key);
            writer.Flag(change.Before is not null);
            if (change.Before is { } before)
                SnapshotConfig.WriteRecord(before, writer);
        }
    }

    public static void Read(CoordinationState state, SnapshotReader reader)
    {
        ConfigStore store = state.Config;
        int count = reader.Count("the number of changes", int.MaxValue);
        // Only asked for keys at hand. What each was before the oldest change of it that has been read.
        var then = new Dictionary<string, ConfigRecord?>(StringComparer.Ordinal);
        var changes = new List<ConfigChange>();
        var newer = new ConfigChange("", store.Revision + 1, state.LogTimeUs, before: null, after: null);
        for (int i = 0; i < count; i++)
        {
            newer = ReadChange(store, then, newer, reader);
            changes.Add(newer);
        }
        reader.Require(
            newer.Revision == store.History.CompactedRevision + 1, $"the history lacks revision {newer.Revision - 1}.");
        if (SeededBugs.Planted == SeededBug.HistoryLeftOutOfSnapshot)
            return;
        for (int i = count - 1; i >= 0; i--)
            store.History.Add(changes[i]);
    }

    private static ConfigChange ReadChange(
        ConfigStore store, Dictionary<string, ConfigRecord?> then, ConfigChange newer, SnapshotReader reader)
    {
        long revision = reader.Int64("a change's revision", store.History.CompactedRevision + 1, store.Revision);
        long logTimeUs = reader.Int64("a change's log time", 0, newer.LogTimeUs);
        string key = StateSnapshot.ReadName(reader, "a changed key", previous: null);
        ConfigRecord? before = reader.Flag("whether a key was there before") ? SnapshotConfig.ReadRecord(store, reader) : null;
        bool isSameRevision = revision == newer.Revision;
        reader.Require(
            isSameRevision
                ? logTimeUs == newer.LogTimeUs && string.CompareOrdinal(key, newer.Key) < 0
                : revision == newer.Revision - 1,
            $"the change of '{key}' at revision {revision} is out of order.");
        ConfigRecord? after = then.TryGetValue(key, out ConfigRecord? known) ? known : store.Find(key);
        reader.Require(Follows(before, after, revision), $"the change of '{key}' at revision {revision} cannot be.");
        then[key] = before;
        return new ConfigChange(key, revision, logTimeUs, before, after);
    }

    private static bool Follows(ConfigRecord? before, ConfigRecord? after, long revision)
    {
        if (before is not null && before.ModifyRevision >= revision)
            return false;
        if (after is null)
            return before is not null;
        return after.ModifyRevision == revision
            && after.Version == (before?.Version ?? 0) + 1
            && after.CreateRevision == (before?.CreateRevision ?? revision);
    }
}
