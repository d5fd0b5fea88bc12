using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Replica.State;

/// <summary>Compares, then one branch, all of it in one revision or nothing.</summary>
internal sealed class ConfigTransactions(ConfigStore store)
{
    private readonly SeededBug _planted = SeededBugs.Planted;
    private List<ConfigOperationResult> _operations = [];

    public OperationResult Execute(Transaction transaction, Session? session, in ApplyContext context)
    {
        bool holds = _planted == SeededBug.AnyCompareDoes
            ? transaction.Compares.Any(compare => Holds(compare, store.Find(compare.Key)))
            : transaction.Compares.All(compare => Holds(compare, store.Find(compare.Key)));
        var draft = new ConfigDraft(store);
        var operations = new List<ConfigOperationResult>();
        int answerBytes = 0;
        foreach (ConfigOperation operation in DoesThen(holds) ? transaction.Then : transaction.Else)
        {
            var result = new ConfigOperationResult();
            ErrorCode error = Execute(operation, draft, session, result);
            answerBytes += result.Entry is { } entry ? entry.CalculateSize() : 0;
            if (error == ErrorCode.Ok && answerBytes > Limits.TransactionAnswerBytesMax)
                error = ErrorCode.AnswerTooLarge;
            if (error != ErrorCode.Ok)
                return OperationResult.Refused(error);
            operations.Add(result);
        }
        store.Commit(draft, context.LogTimeUs);
        _operations = operations;
        return new OperationResult(ErrorCode.Ok, holds ? Outcome.Done : Outcome.DoneElse, Revision: store.Revision);
    }

    public IReadOnlyList<ConfigOperationResult> TakeOperations()
    {
        List<ConfigOperationResult> taken = _operations;
        if (taken.Count > 0)
            _operations = [];
        return taken;
    }

    private bool DoesThen(bool holds) => holds || _planted == SeededBug.ThenDoneForElse;

    private static ErrorCode Execute(
        ConfigOperation operation, ConfigDraft draft, Session? session, ConfigOperationResult result)
    {
        ErrorCode error = ErrorCode.Ok;
        int deleted = 0;
        switch (operation.OperationCase)
        {
            case ConfigOperation.OperationOneofCase.Put:
                error = draft.Put(operation.Put, session);
                result.Version = draft.Find(operation.Put.Key)?.Version ?? 0;
                break;
            case ConfigOperation.OperationOneofCase.Delete:
                error = draft.Delete(operation.Delete.Key, session, out deleted);
                break;
            case ConfigOperation.OperationOneofCase.DeletePrefix:
                error = draft.DeletePrefix(operation.DeletePrefix.Prefix, session, out deleted);
                break;
            case ConfigOperation.OperationOneofCase.Get:
                string key = operation.Get.Key;
                result.Entry = draft.Find(key) is { } record ? ConfigQueries.Describe(key, record, keysOnly: false) : null;
                break;
            default:
                throw new InvalidOperationException($"{operation.OperationCase} passed the rules but is no operation.");
        }
        result.DeletedKeys = deleted;
        return error;
    }

    private static bool Holds(Compare compare, ConfigRecord? record) => compare.TargetCase switch
    {
        Compare.TargetOneofCase.Version => Holds(compare.Relation, (record?.Version ?? 0).CompareTo(compare.Version)),
        Compare.TargetOneofCase.CreateRevision =>
            Holds(compare.Relation, (record?.CreateRevision ?? 0).CompareTo(compare.CreateRevision)),
        Compare.TargetOneofCase.ModifyRevision =>
            Holds(compare.Relation, (record?.ModifyRevision ?? 0).CompareTo(compare.ModifyRevision)),
        Compare.TargetOneofCase.Value => record is not null && Holds(compare.Relation, Order(record.Value, compare.Value)),
        Compare.TargetOneofCase.Exists => Holds(compare.Relation, (record is not null).CompareTo(compare.Exists)),
        _ => throw new InvalidOperationException($"{compare.TargetCase} passed the rules but is nothing to compare with."),
    };

    private static bool Holds(CompareRelation relation, int order) => relation switch
    {
        CompareRelation.Equal => order == 0,
        CompareRelation.NotEqual => order != 0,
        CompareRelation.Less => order < 0,
        CompareRelation.Greater => order > 0,
        _ => throw new InvalidOperationException($"Relation {relation} passed the rules but is none."),
    };

    private static int Order(ByteString x, ByteString y) => x.Span.SequenceCompareTo(y.Span);
}
