using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// What the next revision would do, over what the store holds: read through it, the store is as if it had been done.
/// Invariant: what it refuses has changed nothing in it, and nothing in the store before it is committed.
/// </summary>
internal sealed class ConfigDraft(ConfigStore store)
{
    private readonly SortedDictionary<string, ConfigRecord?> _changes = new(StringComparer.Ordinal);

    // Keys that the draft binds to its session, less those that it takes from it: a limit holds for the sum.
    private int _bound;

    /// <summary>By key; null: it is deleted. Nothing that is missing is deleted.</summary>
    public IReadOnlyDictionary<string, ConfigRecord?> Changes => _changes;

    public long Revision => store.Revision + 1;

    public ConfigRecord? Find(string key) =>
        _changes.TryGetValue(key, out ConfigRecord? changed) ? changed : store.Find(key);

    /// <param name="session">The session that puts it; null: none.</param>
    public ErrorCode Put(PutConfig put, Session? session)
    {
        ConfigRecord? before = Find(put.Key);
        if (IsFull(put.Key))
            return ErrorCode.TooManyKeys;
        if (session is not null)
        {
            int bound = (put.BindSession ? 1 : 0) - (before?.SessionId == session.Id ? 1 : 0);
            if (bound > 0 && store.KeysOf(session.Id).Count + _bound >= store.Settings.KeysPerSession)
                return ErrorCode.TooManyBoundKeys;
            _bound += bound;
        }
        Put(put.Key, put.Value, put.ContentType, put.BindSession ? session!.Id : 0, before);
        return ErrorCode.Ok;
    }

    /// <summary>The value of an earlier revision, as a put of now, bound to no session.</summary>
    public ErrorCode PutAgain(string key, ConfigRecord then)
    {
        if (IsFull(key))
            return ErrorCode.TooManyKeys;
        Put(key, then.Value, then.ContentType, sessionId: 0, Find(key));
        return ErrorCode.Ok;
    }

    /// <param name="deleted">How many keys that was: one, or none if it is missing.</param>
    public ErrorCode Delete(string key, Session? session, out int deleted)
    {
        deleted = 0;
        if (Find(key) is not { } before)
            return ErrorCode.Ok;
        if (IsFull(key))
            return ErrorCode.TooManyKeys;
        deleted = 1;
        if (session is not null && before.SessionId == session.Id)
            _bound--;
        _changes[key] = null;
        return ErrorCode.Ok;
    }

    /// <summary>All keys with the prefix; the rules have made sure that the draft holds none of them.</summary>
    public ErrorCode DeletePrefix(string prefix, Session? session, out int deleted)
    {
        deleted = 0;
        SortedBlocks<string, ConfigRecord, OrdinalOrder>.Cursor records = store.Records.From(prefix);
        while (records.MoveNext() && records.Key.StartsWith(prefix, StringComparison.Ordinal))
        {
            ErrorCode error = Delete(records.Key, session, out int one);
            if (error != ErrorCode.Ok)
                return error;
            deleted += one;
        }
        return ErrorCode.Ok;
    }

    /// <summary>All keys that end with the session, however many the group's limits would let a command change.</summary>
    public void DeleteKeysOf(long sessionId)
    {
        foreach (string key in store.KeysOf(sessionId))
            _changes[key] = null;
    }

    private bool IsFull(string key) => _changes.Count >= store.Settings.KeysPerRevision && !_changes.ContainsKey(key);

    private void Put(string key, Google.Protobuf.ByteString value, string contentType, long sessionId, ConfigRecord? before)
    {
        long version = (before?.Version ?? 0) + 1;
        long created = before?.CreateRevision ?? Revision;
        _changes[key] = ConfigRecord.Of(value, store.OneInstance(contentType), version, created, Revision, sessionId);
    }
}
