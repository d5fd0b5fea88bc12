using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>Answers queries of configuration, as it is now or as it was at a revision that is kept.</summary>
internal static class ConfigQueries
{
    public static ErrorCode Get(ConfigStore store, GetConfig get, QueryAnswer answer)
    {
        if (WhyUnreadable(store, get.Revision, answer) is { } unreadable)
            return unreadable;
        ConfigRecord? record = store.Find(get.Key);
        if (get.Revision != 0 && store.History.ChangedSince(get.Key, get.Revision, out ConfigRecord? then))
            record = then;
        if (record is null)
            return ErrorCode.KeyNotFound;
        answer.Entries.Add(Describe(get.Key, record, keysOnly: false));
        return ErrorCode.Ok;
    }

    public static ErrorCode List(ConfigStore store, ListConfig list, QueryAnswer answer)
    {
        if (WhyUnreadable(store, list.Revision, answer) is { } unreadable)
            return unreadable;
        if (list.CountOnly && list.Revision == 0)
        {
            answer.Count = StateQueries.Start(store.Records, list.Prefix, list.AfterKey)
                .CountWhile(key => key.StartsWith(list.Prefix, StringComparison.Ordinal));
            return ErrorCode.Ok;
        }
        var page = new StateQueries.Page(list.Limit);
        var records = new ConfigCursor(store, list.Prefix, list.AfterKey, list.Revision);
        while (records.MoveNext())
        {
            if (list.CountOnly)
            {
                answer.Count++;
                continue;
            }
            ConfigRecord record = records.Current;
            if (!page.Takes(records.Key.Length + (list.KeysOnly ? 0 : record.Value.Length) + record.ContentType.Length))
            {
                answer.More = true;
                break;
            }
            answer.Entries.Add(Describe(records.Key, record, list.KeysOnly));
        }
        return ErrorCode.Ok;
    }

    public static ConfigEntry Describe(string key, ConfigRecord record, bool keysOnly)
    {
        var entry = new ConfigEntry
        {
            Key = key,
            ContentType = record.ContentType,
            Version = record.Version,
            CreateRevision = record.CreateRevision,
            ModifyRevision = record.ModifyRevision,
            SessionId = record.SessionId,
        };
        if (!keysOnly)
            entry.Value = record.Value;
        return entry;
    }

    private static ErrorCode? WhyUnreadable(ConfigStore store, long revision, QueryAnswer answer)
    {
        ErrorCode? why = revision == 0 ? null : store.WhyUnreadable(revision);
        if (why == ErrorCode.Compacted)
            answer.CompactedRevision = store.History.CompactedRevision;
        return why;
    }
}
