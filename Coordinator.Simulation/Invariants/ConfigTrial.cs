using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>What one command would make of the ledger's keys, as one revision. Invariant: the ledger stays as it was.</summary>
internal sealed class ConfigTrial(ConfigLedger ledger, long sessionId)
{
    private readonly SortedDictionary<string, ConfigEntry?> _changes = new(StringComparer.Ordinal);

    /// <summary>By key; null: it is deleted.</summary>
    public IReadOnlyDictionary<string, ConfigEntry?> Changes => _changes;

    public static bool Holds(Transaction transaction, ConfigLedger ledger) =>
        transaction.Compares.All(compare => Holds(compare, ledger.Find(compare.Key)));

    public ConfigOperationResult Do(ConfigOperation operation)
    {
        var result = new ConfigOperationResult();
        switch (operation.OperationCase)
        {
            case ConfigOperation.OperationOneofCase.Put:
                result.Version = Put(operation.Put);
                break;
            case ConfigOperation.OperationOneofCase.Delete:
                result.DeletedKeys = Delete(operation.Delete.Key) ? 1 : 0;
                break;
            case ConfigOperation.OperationOneofCase.DeletePrefix:
                result.DeletedKeys = ledger.Keys(operation.DeletePrefix.Prefix).ToList().Count(Delete);
                break;
            default:
                result.Entry = Find(operation.Get.Key);
                break;
        }
        return result;
    }

    public long Put(PutConfig put) => Put(put.Key, new ConfigEntry
    {
        Value = put.Value,
        ContentType = put.ContentType,
        SessionId = put.BindSession ? sessionId : 0,
    });

    public bool Delete(string key)
    {
        if (Find(key) is null)
            return false;
        _changes[key] = null;
        return true;
    }

    /// <summary>Keys that are bound to a session, now or then, are left to it.</summary>
    public void RollBack(string prefix, long revision)
    {
        foreach (string key in ledger.AllKeys(prefix).ToList())
        {
            ConfigEntry? now = ledger.Find(key);
            ConfigEntry? then = ledger.AtRevision(key, revision)?.Entry;
            if (now is { SessionId: not 0 })
                continue;
            if (then is null or { SessionId: not 0 })
                Delete(key);
            else if (now is null || !now.Value.Equals(then.Value) || now.ContentType != then.ContentType)
                Put(key, new ConfigEntry { Value = then.Value, ContentType = then.ContentType });
        }
    }

    private ConfigEntry? Find(string key) =>
        _changes.TryGetValue(key, out ConfigEntry? changed) ? changed : ledger.Find(key);

    private long Put(string key, ConfigEntry entry)
    {
        ConfigEntry? before = Find(key);
        entry.Key = key;
        entry.Version = (before?.Version ?? 0) + 1;
        entry.ModifyRevision = ledger.Revision + 1;
        entry.CreateRevision = before?.CreateRevision ?? entry.ModifyRevision;
        _changes[key] = entry;
        return entry.Version;
    }

    private static bool Holds(Compare compare, ConfigEntry? entry) => compare.TargetCase switch
    {
        Compare.TargetOneofCase.Version => Holds(compare.Relation, entry?.Version ?? 0, compare.Version),
        Compare.TargetOneofCase.CreateRevision => Holds(compare.Relation, entry?.CreateRevision ?? 0, compare.CreateRevision),
        Compare.TargetOneofCase.ModifyRevision => Holds(compare.Relation, entry?.ModifyRevision ?? 0, compare.ModifyRevision),
        Compare.TargetOneofCase.Exists => Holds(compare.Relation, entry is null ? 0 : 1, compare.Exists ? 1 : 0),
        _ => entry is not null && Holds(compare.Relation, entry.Value.Span.SequenceCompareTo(compare.Value.Span), 0),
    };

    private static bool Holds(CompareRelation relation, long left, long right) => relation switch
    {
        CompareRelation.Equal => left == right,
        CompareRelation.NotEqual => left != right,
        CompareRelation.Less => left < right,
        _ => left > right,
    };
}
