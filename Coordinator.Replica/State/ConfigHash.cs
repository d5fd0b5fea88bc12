using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>Commands of configuration as hashes, field by field: protobuf promises no bytes that are always the same.</summary>
internal static class ConfigHash
{
    public static void Add(ref StateHash hash, Command command)
    {
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.PutConfig:
                Add(ref hash, command.PutConfig);
                break;
            case Command.OperationOneofCase.Transaction:
                foreach (Compare compare in command.Transaction.Compares)
                    Add(ref hash, compare);
                foreach (ConfigOperation operation in command.Transaction.Then.Concat(command.Transaction.Else))
                    Add(ref hash, operation);
                break;
            case Command.OperationOneofCase.CompactConfig:
                hash.Add(command.CompactConfig.Revision);
                break;
            case Command.OperationOneofCase.RollBackConfig:
                hash.Add(command.RollBackConfig.Revision);
                break;
        }
    }

    /// <summary>What a transaction is about: its keys, and what it would do to them.</summary>
    public static ulong KeysOf(Transaction transaction)
    {
        var hash = new StateHash((ulong)transaction.Then.Count);
        foreach (Compare compare in transaction.Compares)
            hash.Add(compare.Key);
        foreach (ConfigOperation operation in transaction.Then.Concat(transaction.Else))
        {
            hash.Add((long)operation.OperationCase);
            hash.Add(KeyOf(operation));
        }
        return hash.Value;
    }

    private static void Add(ref StateHash hash, PutConfig put)
    {
        hash.Add(put.Value.Span);
        hash.Add(put.ContentType);
        hash.Add(put.BindSession ? 1L : 0L);
    }

    private static void Add(ref StateHash hash, Compare compare)
    {
        hash.Add(((long)compare.TargetCase << 32) ^ (long)compare.Relation);
        hash.Add(compare.Version ^ compare.CreateRevision ^ compare.ModifyRevision ^ (compare.Exists ? 1 : 0));
        hash.Add(compare.Value.Span);
    }

    private static void Add(ref StateHash hash, ConfigOperation operation)
    {
        if (operation.Put is { } put)
            Add(ref hash, put);
    }

    private static string KeyOf(ConfigOperation operation) => operation.OperationCase switch
    {
        ConfigOperation.OperationOneofCase.Put => operation.Put.Key,
        ConfigOperation.OperationOneofCase.Delete => operation.Delete.Key,
        ConfigOperation.OperationOneofCase.DeletePrefix => operation.DeletePrefix.Prefix,
        ConfigOperation.OperationOneofCase.Get => operation.Get.Key,
        _ => "",
    };
}
