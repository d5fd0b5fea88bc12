using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// Carries out the commands that are about configuration. Invariant: each takes one revision if it changes anything, and
/// none otherwise; one that is refused has changed nothing.
/// </summary>
internal sealed class ConfigCommands(ConfigStore store)
{
    private readonly SeededBug _planted = SeededBugs.Planted;
    private readonly ConfigTransactions _transactions = new(store);

    public static bool Knows(Command.OperationOneofCase operation) => operation
        is Command.OperationOneofCase.PutConfig or Command.OperationOneofCase.DeleteConfig
        or Command.OperationOneofCase.Transaction or Command.OperationOneofCase.CompactConfig
        or Command.OperationOneofCase.RollBackConfig;

    /// <param name="session">Null: outside any session.</param>
    public OperationResult Execute(Command command, Session? session, in ApplyContext context) => command.OperationCase switch
    {
        Command.OperationOneofCase.PutConfig => Put(command.PutConfig, session, context),
        Command.OperationOneofCase.DeleteConfig => Delete(command.DeleteConfig, session, context),
        Command.OperationOneofCase.Transaction => _transactions.Execute(command.Transaction, session, context),
        Command.OperationOneofCase.CompactConfig => Compact(command.CompactConfig.Revision),
        Command.OperationOneofCase.RollBackConfig => RollBack(command.RollBackConfig, context),
        _ => throw new InvalidOperationException($"{command.OperationCase} is not about configuration."),
    };

    /// <summary>What the transaction found and did, once, if one was carried out since this was last asked.</summary>
    public IReadOnlyList<ConfigOperationResult> TakeOperations() => _transactions.TakeOperations();

    /// <summary>One revision for all keys that ended with the session.</summary>
    public void EndSession(Session session, in ApplyContext context)
    {
        if (_planted == SeededBug.BoundKeyOutlivesSession)
            return;
        var draft = new ConfigDraft(store);
        draft.DeleteKeysOf(session.Id);
        store.Commit(draft, context.LogTimeUs);
    }

    private OperationResult Put(PutConfig put, Session? session, in ApplyContext context)
    {
        if (!IsAsExpected(
                store.Find(put.Key),
                put.HasExpectedVersion ? put.ExpectedVersion : null,
                put.HasExpectedModifyRevision ? put.ExpectedModifyRevision : null))
            return OperationResult.Refused(ErrorCode.ConditionFailed);
        var draft = new ConfigDraft(store);
        ErrorCode error = draft.Put(put, session);
        return error != ErrorCode.Ok
            ? OperationResult.Refused(error)
            : Commit(draft, context) with { Version = draft.Find(put.Key)!.Version };
    }

    private OperationResult Delete(DeleteConfig delete, Session? session, in ApplyContext context)
    {
        ConfigRecord? before = store.Find(delete.Key);
        if (!IsAsExpected(
                before,
                delete.HasExpectedVersion ? delete.ExpectedVersion : null,
                delete.HasExpectedModifyRevision ? delete.ExpectedModifyRevision : null))
            return OperationResult.Refused(ErrorCode.ConditionFailed);
        if (before is null)
            return OperationResult.Refused(ErrorCode.KeyNotFound);
        var draft = new ConfigDraft(store);
        draft.Delete(delete.Key, session, out _);
        return Commit(draft, context);
    }

    private OperationResult Compact(long revision)
    {
        if (revision > store.Revision)
            return OperationResult.Refused(ErrorCode.RevisionInFuture);
        if (revision <= store.History.CompactedRevision)
            return OperationResult.Refused(ErrorCode.Compacted);
        store.History.Compact(revision);
        return new OperationResult(ErrorCode.Ok, Outcome.Done, Revision: store.Revision);
    }

    private OperationResult RollBack(RollBackConfig rollBack, in ApplyContext context)
    {
        if (store.WhyUnreadable(rollBack.Revision) is { } unreadable)
            return OperationResult.Refused(unreadable);
        var draft = new ConfigDraft(store);
        SortedBlocks<string, ChangeQueue, OrdinalOrder>.Cursor keys = store.History.ByKey.From(rollBack.Prefix);
        while (keys.MoveNext() && keys.Key.StartsWith(rollBack.Prefix, StringComparison.Ordinal))
        {
            if (!ConfigHistory.ChangedSince(keys.Current, rollBack.Revision, out ConfigRecord? then))
                continue;
            ErrorCode error = RollBack(draft, keys.Key, then);
            if (error != ErrorCode.Ok)
                return OperationResult.Refused(error);
        }
        return Commit(draft, context);
    }

    private ErrorCode RollBack(ConfigDraft draft, string key, ConfigRecord? then)
    {
        ConfigRecord? now = draft.Find(key);
        if (now is not null && now.SessionId != 0)
            return ErrorCode.Ok;
        if (then is null || then.SessionId != 0)
            return _planted == SeededBug.RollBackKeepsNewKeys ? ErrorCode.Ok : draft.Delete(key, session: null, out _);
        bool isSame = now is not null && now.Value.Equals(then.Value) && now.ContentType == then.ContentType;
        return isSame ? ErrorCode.Ok : draft.PutAgain(key, then);
    }

    private OperationResult Commit(ConfigDraft draft, in ApplyContext context)
    {
        store.Commit(draft, context.LogTimeUs);
        return new OperationResult(ErrorCode.Ok, Outcome.Done, Revision: store.Revision);
    }

    // What was not said is null; what does not exist is at version and revision 0.
    private static bool IsAsExpected(ConfigRecord? record, long? version, long? modifyRevision) =>
        (version ?? record?.Version ?? 0) == (record?.Version ?? 0)
        && (modifyRevision ?? record?.ModifyRevision ?? 0) == (record?.ModifyRevision ?? 0);
}
