using Coordinator.Contracts;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Tests.State;

internal sealed record ModelRecord(ByteString Value, string Type, long Version, long Created, long Modified, long Session);

/// <summary>Configuration as plainly as it can be said: the whole map is copied for each revision.</summary>
internal sealed class NaiveConfig(StateSettings settings)
{
    private readonly Dictionary<long, (SortedDictionary<string, ModelRecord> Map, long LogTime)> _revisions = new()
    {
        [0] = (NewMap(), 0),
    };

    public long Revision { get; private set; }

    public long Compacted { get; private set; }

    public List<ConfigOperationResult> Operations { get; } = [];

    public SortedDictionary<string, ModelRecord> At(long revision) => _revisions[revision].Map;

    public Answer Execute(Command command, long session, long logTime) => command.OperationCase switch
    {
        Command.OperationOneofCase.PutConfig => Put(command.PutConfig, session, logTime),
        Command.OperationOneofCase.DeleteConfig => Delete(command.DeleteConfig, logTime),
        Command.OperationOneofCase.Transaction => Transact(command.Transaction, session, logTime),
        Command.OperationOneofCase.CompactConfig => Compact(command.CompactConfig.Revision),
        _ => RollBack(command.RollBackConfig, logTime),
    };

    public void EndSession(long session, long logTime)
    {
        SortedDictionary<string, ModelRecord> map = Present();
        foreach (string key in map.Keys.Where(k => map[k].Session == session).ToArray())
            map.Remove(key);
        Commit(map, logTime);
    }

    public void Tidy(long logTime)
    {
        while (Compacted < Revision && (Revision - Compacted > settings.HistoryRevisions
            || logTime - _revisions[Compacted + 1].LogTime > settings.HistoryAgeUs
            || Enumerable.Range((int)Compacted + 1, (int)(Revision - Compacted)).Sum(r => BytesOf(r)) > settings.HistoryBytes))
        {
            Compacted++;
        }
    }

    /// <summary>What a revision did, by key: the difference between two maps.</summary>
    public IEnumerable<(string Key, ModelRecord? Before, ModelRecord? After)> ChangesAt(long revision)
    {
        SortedDictionary<string, ModelRecord> before = At(revision - 1), after = At(revision);
        return before.Keys.Union(after.Keys).Order(StringComparer.Ordinal)
            .Select(key => (key, before.GetValueOrDefault(key), after.GetValueOrDefault(key)))
            .Where(change => change.Item2 != change.Item3);
    }

    private long BytesOf(long revision) =>
        ChangesAt(revision).Sum(c => c.Key.Length + (c.Before is null ? 0 : c.Before.Value.Length + c.Before.Type.Length));

    private Answer Put(PutConfig put, long session, long logTime)
    {
        SortedDictionary<string, ModelRecord> map = Present();
        ModelRecord? before = map.GetValueOrDefault(put.Key);
        if (!Expected(before, put.HasExpectedVersion, put.ExpectedVersion, put.HasExpectedModifyRevision, put.ExpectedModifyRevision))
            return Answer.Refused(ErrorCode.ConditionFailed);
        Write(map, put, session);
        if (TooMany(map, put, before, session))
            return Answer.Refused(ErrorCode.TooManyBoundKeys);
        Commit(map, logTime);
        return new Answer(ErrorCode.Ok, Outcome.Done, Revision: Revision, Version: map[put.Key].Version);
    }

    private Answer Delete(DeleteConfig delete, long logTime)
    {
        SortedDictionary<string, ModelRecord> map = Present();
        ModelRecord? before = map.GetValueOrDefault(delete.Key);
        if (!Expected(before, delete.HasExpectedVersion, delete.ExpectedVersion, delete.HasExpectedModifyRevision, delete.ExpectedModifyRevision))
            return Answer.Refused(ErrorCode.ConditionFailed);
        if (!map.Remove(delete.Key))
            return Answer.Refused(ErrorCode.KeyNotFound);
        Commit(map, logTime);
        return new Answer(ErrorCode.Ok, Outcome.Done, Revision: Revision);
    }

    private Answer Transact(Transaction transaction, long session, long logTime)
    {
        SortedDictionary<string, ModelRecord> map = Present();
        bool holds = transaction.Compares.All(compare => Holds(compare, map.GetValueOrDefault(compare.Key)));
        var results = new List<ConfigOperationResult>();
        foreach (ConfigOperation operation in holds ? transaction.Then : transaction.Else)
        {
            var result = new ConfigOperationResult();
            if (operation.Put is { } put)
            {
                ModelRecord? before = map.GetValueOrDefault(put.Key);
                Write(map, put, session);
                if (Difference(At(Revision), map) <= settings.KeysPerRevision && TooMany(map, put, before, session))
                    return Answer.Refused(ErrorCode.TooManyBoundKeys);
                result.Version = map[put.Key].Version;
            }
            else if (operation.Delete is { } delete)
            {
                result.DeletedKeys = map.Remove(delete.Key) ? 1 : 0;
            }
            else if (operation.DeletePrefix is { } prefix)
            {
                string[] gone = [.. map.Keys.Where(k => k.StartsWith(prefix.Prefix, StringComparison.Ordinal))];
                Array.ForEach(gone, key => map.Remove(key));
                result.DeletedKeys = gone.Length;
            }
            else if (map.TryGetValue(operation.Get.Key, out ModelRecord? found))
            {
                result.Entry = EntryOf(operation.Get.Key, found);
            }
            results.Add(result);
            if (Difference(At(Revision), map) > settings.KeysPerRevision)
                return Answer.Refused(ErrorCode.TooManyKeys);
        }
        Commit(map, logTime);
        Operations.AddRange(results);
        return new Answer(ErrorCode.Ok, holds ? Outcome.Done : Outcome.DoneElse, Revision: Revision);
    }

    private Answer Compact(long revision)
    {
        if (revision > Revision)
            return Answer.Refused(ErrorCode.RevisionInFuture);
        if (revision <= Compacted)
            return Answer.Refused(ErrorCode.Compacted);
        Compacted = revision;
        return new Answer(ErrorCode.Ok, Outcome.Done, Revision: Revision);
    }

    private Answer RollBack(RollBackConfig rollBack, long logTime)
    {
        if (rollBack.Revision > Revision)
            return Answer.Refused(ErrorCode.RevisionInFuture);
        if (rollBack.Revision < Compacted)
            return Answer.Refused(ErrorCode.Compacted);
        SortedDictionary<string, ModelRecord> map = Present(), then = At(rollBack.Revision);
        foreach (string key in map.Keys.Union(then.Keys).Where(k => k.StartsWith(rollBack.Prefix, StringComparison.Ordinal)).ToArray())
        {
            ModelRecord? now = map.GetValueOrDefault(key), old = then.GetValueOrDefault(key);
            if (now is { Session: not 0 } || (now is not null && now == old))
                continue;
            if (old is not { Session: 0 })
                map.Remove(key);
            else if (now is null || (now.Value, now.Type) != (old.Value, old.Type))
                Write(map, new PutConfig { Key = key, Value = old.Value, ContentType = old.Type }, 0);
        }
        if (Difference(At(Revision), map) > settings.KeysPerRevision)
            return Answer.Refused(ErrorCode.TooManyKeys);
        Commit(map, logTime);
        return new Answer(ErrorCode.Ok, Outcome.Done, Revision: Revision);
    }

    public static ConfigEntry EntryOf(string key, ModelRecord record) => new()
    {
        Key = key,
        Value = record.Value,
        ContentType = record.Type,
        Version = record.Version,
        CreateRevision = record.Created,
        ModifyRevision = record.Modified,
        SessionId = record.Session,
    };

    private void Write(SortedDictionary<string, ModelRecord> map, PutConfig put, long session)
    {
        ModelRecord? before = map.GetValueOrDefault(put.Key);
        map[put.Key] = new ModelRecord(
            put.Value, put.ContentType, (before?.Version ?? 0) + 1, before?.Created ?? Revision + 1, Revision + 1,
            put.BindSession ? session : 0);
    }

    private bool TooMany(SortedDictionary<string, ModelRecord> map, PutConfig put, ModelRecord? before, long session) =>
        put.BindSession && before?.Session != session
        && map.Values.Count(record => record.Session == session) > settings.KeysPerSession;

    private static bool Holds(Compare compare, ModelRecord? record)
    {
        if (compare.TargetCase == Compare.TargetOneofCase.Value && record is null)
            return false;
        int order = compare.TargetCase switch
        {
            Compare.TargetOneofCase.Version => (record?.Version ?? 0).CompareTo(compare.Version),
            Compare.TargetOneofCase.CreateRevision => (record?.Created ?? 0).CompareTo(compare.CreateRevision),
            Compare.TargetOneofCase.ModifyRevision => (record?.Modified ?? 0).CompareTo(compare.ModifyRevision),
            Compare.TargetOneofCase.Value => string.CompareOrdinal(record!.Value.ToStringUtf8(), compare.Value.ToStringUtf8()),
            _ => (record is not null).CompareTo(compare.Exists),
        };
        return compare.Relation switch
        {
            CompareRelation.Equal => order == 0,
            CompareRelation.NotEqual => order != 0,
            CompareRelation.Less => order < 0,
            _ => order > 0,
        };
    }

    private static bool Expected(ModelRecord? record, bool hasVersion, long version, bool hasModified, long modified) =>
        (!hasVersion || version == (record?.Version ?? 0)) && (!hasModified || modified == (record?.Modified ?? 0));

    private static int Difference(SortedDictionary<string, ModelRecord> x, SortedDictionary<string, ModelRecord> y) =>
        x.Keys.Union(y.Keys).Count(key => x.GetValueOrDefault(key) != y.GetValueOrDefault(key));

    private SortedDictionary<string, ModelRecord> Present() => new(At(Revision), StringComparer.Ordinal);

    private static SortedDictionary<string, ModelRecord> NewMap() => new(StringComparer.Ordinal);

    private void Commit(SortedDictionary<string, ModelRecord> map, long logTime)
    {
        if (Difference(At(Revision), map) > 0)
            _revisions[++Revision] = (map, logTime);
    }
}
