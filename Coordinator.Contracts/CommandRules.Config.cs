using Google.Protobuf.Collections;

namespace Coordinator.Contracts;

/// <summary>Of commands that change the configuration.</summary>
public static partial class CommandRules
{
    private static (ErrorCode, string)? CheckPut(Command command, PutConfig put)
    {
        if (put.Value.Length > Limits.ValueBytesMax)
            return (ErrorCode.ValueTooLarge,
                $"The value has {put.Value.Length} bytes; at most {Limits.ValueBytesMax} are kept.");
        if (ResourceName.LabelProblem(put.ContentType) is { } problem)
            return Invalid($"content_type: {problem}");
        if (put.BindSession && command.SessionId == 0)
            return Invalid("A key can only be bound to the session that puts it: session_id is 0.");
        return CheckExpected(put.ExpectedVersion, put.ExpectedModifyRevision) ?? CheckName(put.Key);
    }

    private static (ErrorCode, string)? CheckDelete(DeleteConfig delete) =>
        CheckExpected(delete.ExpectedVersion, delete.ExpectedModifyRevision) ?? CheckName(delete.Key);

    private static (ErrorCode, string)? CheckExpected(long version, long modifyRevision) =>
        version < 0 || modifyRevision < 0 ? Invalid("An expected version or revision may not be negative.") : null;

    private static (ErrorCode, string)? CheckRevision(long revision) =>
        revision < 1 ? Invalid($"{revision} is no revision: they count from 1.") : null;

    private static (ErrorCode, string)? CheckRollBack(RollBackConfig rollBack) =>
        CheckPrefix(rollBack.Prefix) ?? CheckRevision(rollBack.Revision);

    private static (ErrorCode, string)? CheckTransaction(Command command)
    {
        Transaction transaction = command.Transaction;
        int operations = transaction.Compares.Count + transaction.Then.Count + transaction.Else.Count;
        if (operations == 0)
            return Invalid("The transaction neither compares nor does anything.");
        if (operations > Limits.TransactionOperationsMax)
            return (ErrorCode.TooManyOperations,
                $"The transaction has {operations} compares and operations; at most {Limits.TransactionOperationsMax} are done.");
        foreach (Compare compare in transaction.Compares)
        {
            if (CheckCompare(compare) is { } problem)
                return problem;
        }
        return CheckBranch(command, transaction.Then) ?? CheckBranch(command, transaction.Else) ?? CheckSize(transaction);
    }

    // Last: the size of what is nested without end would be computed without end.
    private static (ErrorCode, string)? CheckSize(Transaction transaction) =>
        transaction.CalculateSize() is var bytes && bytes > Limits.RequestBytesMax
            ? (ErrorCode.RequestTooLarge, $"The transaction has {bytes} bytes; at most {Limits.RequestBytesMax} are taken.")
            : null;

    private static (ErrorCode, string)? CheckCompare(Compare compare)
    {
        if (!Enum.IsDefined(compare.Relation))
            return Invalid($"Relation {(int)compare.Relation} of a compare is unknown.");
        return compare.TargetCase switch
        {
            Compare.TargetOneofCase.None => Invalid($"The compare of '{compare.Key}' says not with what."),
            Compare.TargetOneofCase.Exists when compare.Relation is CompareRelation.Less or CompareRelation.Greater =>
                Invalid("A key exists or does not exist: compare it with EQUAL or NOT_EQUAL."),
            _ => CheckName(compare.Key),
        };
    }

    private static (ErrorCode, string)? CheckBranch(Command command, RepeatedField<ConfigOperation> operations)
    {
        var written = new List<(string Text, bool IsPrefix)>();
        foreach (ConfigOperation operation in operations)
        {
            if (CheckOperation(command, operation) is { } problem)
                return problem;
            if (WrittenBy(operation) is not { } write)
                continue;
            // One revision holds one change of a key, so that what a key was at a revision is never in doubt.
            if (written.Exists(other => Overlap(write, other)))
                return (ErrorCode.DuplicateKey, $"A branch of the transaction writes '{write.Text}' twice.");
            written.Add(write);
        }
        return null;
    }

    private static (ErrorCode, string)? CheckOperation(Command command, ConfigOperation operation) =>
        operation.OperationCase switch
        {
            ConfigOperation.OperationOneofCase.Put when HasExpectation(operation.Put) => MisplacedExpectation,
            ConfigOperation.OperationOneofCase.Put => CheckPut(command, operation.Put),
            ConfigOperation.OperationOneofCase.Delete
                when operation.Delete.HasExpectedVersion || operation.Delete.HasExpectedModifyRevision => MisplacedExpectation,
            ConfigOperation.OperationOneofCase.Delete => CheckName(operation.Delete.Key),
            ConfigOperation.OperationOneofCase.DeletePrefix when operation.DeletePrefix.Prefix.Length == 0 =>
                Invalid("A prefix of keys to delete may not be empty."),
            ConfigOperation.OperationOneofCase.DeletePrefix => CheckPrefix(operation.DeletePrefix.Prefix),
            ConfigOperation.OperationOneofCase.Get => CheckName(operation.Get.Key),
            ConfigOperation.OperationOneofCase.Transaction =>
                (ErrorCode.NestedTransaction, "A transaction may not hold another one."),
            _ => Invalid("An operation of the transaction does nothing that this version knows."),
        };

    private static bool HasExpectation(PutConfig put) => put.HasExpectedVersion || put.HasExpectedModifyRevision;

    private static (ErrorCode, string)? MisplacedExpectation =>
        Invalid("What a transaction expects is said by its compares, not by its operations.");

    private static (string Text, bool IsPrefix)? WrittenBy(ConfigOperation operation) => operation.OperationCase switch
    {
        ConfigOperation.OperationOneofCase.Put => (operation.Put.Key, false),
        ConfigOperation.OperationOneofCase.Delete => (operation.Delete.Key, false),
        ConfigOperation.OperationOneofCase.DeletePrefix => (operation.DeletePrefix.Prefix, true),
        _ => null,
    };

    private static bool Overlap((string Text, bool IsPrefix) x, (string Text, bool IsPrefix) y) =>
        x.Text == y.Text
        || (x.IsPrefix && y.Text.StartsWith(x.Text, StringComparison.Ordinal))
        || (y.IsPrefix && x.Text.StartsWith(y.Text, StringComparison.Ordinal));

    private static (ErrorCode, string)? CheckPrefix(string prefix) =>
        ResourceName.PrefixProblem(prefix) is { } problem ? (ErrorCode.InvalidName, problem) : null;
}
