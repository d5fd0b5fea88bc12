using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Linearizability;
using Google.Protobuf;

namespace Coordinator.Simulation.Histories;

/// <summary>What clients did with configuration keys, as they saw it. Serializable reads promise less, and are no part of it.</summary>
internal sealed class ConfigHistory(EventQueue events)
{
    private readonly RequestRecorder<ConfigInput, ConfigOutput> _requests = new(events);

    public IReadOnlyList<HistoryEvent<ConfigInput, ConfigOutput>> Events => _requests.History;

    public void Sent(int client, Command command)
    {
        if (InputOf(command) is { } input && KeyFamilies.IsChangedAlone(input.Key))
            _requests.Sent(client, command, input);
    }

    public void Sent(int client, Query query)
    {
        if (query is { GetConfig: { Revision: 0 } get, Serializable: false } && KeyFamilies.IsChangedAlone(get.Key))
            _requests.Sent(client, query, new ConfigInput.Get(get.Key));
    }

    public void Answered(Command command, CommandResult result)
    {
        if (InputOf(command) is { } input && KeyFamilies.IsChangedAlone(input.Key) && OutputOf(input, result) is { } output)
            _requests.Answered(command, output);
    }

    public void Answered(Query query, QueryAnswer answer)
    {
        if (query is not { GetConfig: { Revision: 0 } get } || !KeyFamilies.IsChangedAlone(get.Key))
            return;
        if (FoundBy(answer) is { } output)
            _requests.Answered(query, output);
    }

    public void NeverExecuted(Command command) => _requests.HadNoEffect(command);

    private static ConfigInput? InputOf(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.PutConfig => InputOf(command.PutConfig),
        Command.OperationOneofCase.DeleteConfig => InputOf(command.DeleteConfig),
        Command.OperationOneofCase.Transaction => InputOf(command.Transaction),
        _ => null,
    };

    private static ConfigInput InputOf(PutConfig put) => (put.HasExpectedVersion, put.HasExpectedModifyRevision) switch
    {
        (true, _) => new ConfigInput.CompareAndSet(put.Key, new ConfigExpectation.VersionIs(put.ExpectedVersion), TextOf(put.Value)),
        (_, true) => new ConfigInput.CompareAndSet(put.Key, new ConfigExpectation.RevisionIs(put.ExpectedModifyRevision), TextOf(put.Value)),
        _ => new ConfigInput.Put(put.Key, TextOf(put.Value)),
    };

    private static ConfigInput InputOf(DeleteConfig delete) => (delete.HasExpectedVersion, delete.HasExpectedModifyRevision) switch
    {
        (true, _) => new ConfigInput.CompareAndDelete(delete.Key, new ConfigExpectation.VersionIs(delete.ExpectedVersion)),
        (_, true) => new ConfigInput.CompareAndDelete(delete.Key, new ConfigExpectation.RevisionIs(delete.ExpectedModifyRevision)),
        _ => new ConfigInput.Delete(delete.Key),
    };

    /// <summary>Of transactions those of one key, with one compare for equality and at most one operation a branch.</summary>
    private static ConfigInput.Transact? InputOf(Transaction transaction)
    {
        if (transaction is not { Compares: [{ Relation: CompareRelation.Equal } compare], Then.Count: <= 1, Else.Count: <= 1 })
            return null;
        ConfigExpectation? expected = compare.TargetCase switch
        {
            Compare.TargetOneofCase.Version => new ConfigExpectation.VersionIs(compare.Version),
            Compare.TargetOneofCase.Value => new ConfigExpectation.ValueIs(TextOf(compare.Value)),
            Compare.TargetOneofCase.Exists when !compare.Exists => new ConfigExpectation.VersionIs(0),
            _ => null,
        };
        return expected is null
            ? null
            : new ConfigInput.Transact(compare.Key, expected, ActionOf(transaction.Then), ActionOf(transaction.Else));
    }

    private static ConfigAction? ActionOf(IReadOnlyList<ConfigOperation> branch) => branch switch
    {
        [{ Put: { } put }] => new ConfigAction.Put(TextOf(put.Value)),
        [{ Delete: not null }] => new ConfigAction.Delete(),
        [{ Get: not null }] => new ConfigAction.Get(),
        _ => null,
    };

    /// <summary>Null: it says nothing of the key.</summary>
    private static ConfigOutput? OutputOf(ConfigInput input, CommandResult result) => (input, result.Error) switch
    {
        (_, ErrorCode.ConditionFailed) => new ConfigOutput.Differed(),
        (ConfigInput.Put or ConfigInput.CompareAndSet, ErrorCode.Ok) => new ConfigOutput.Stored(result.Version, result.Revision),
        (ConfigInput.Delete or ConfigInput.CompareAndDelete, ErrorCode.Ok) => new ConfigOutput.Deleted(result.Revision),
        (ConfigInput.Delete or ConfigInput.CompareAndDelete, ErrorCode.KeyNotFound) => new ConfigOutput.NotFound(),
        (ConfigInput.Transact transaction, ErrorCode.Ok) => OutputOf(transaction, result),
        _ => null,
    };

    private static ConfigOutput.Transacted OutputOf(ConfigInput.Transact transaction, CommandResult result)
    {
        bool isThen = result.Outcome == Outcome.Done;
        // A repeat is told no more than the branch and the revision.
        ConfigOutput? told = ((isThen ? transaction.Then : transaction.Else), result.Operations) switch
        {
            (ConfigAction.Get, [{ Entry: { } entry }]) => FoundIn(entry),
            (ConfigAction.Get, [_]) => new ConfigOutput.NotFound(),
            (ConfigAction.Put, [{ Version: var version }]) => new ConfigOutput.Stored(version, result.Revision),
            (ConfigAction.Delete, [{ DeletedKeys: 0 }]) => new ConfigOutput.NotFound(),
            (ConfigAction.Delete, [_]) => new ConfigOutput.Deleted(result.Revision),
            _ => null,
        };
        return new ConfigOutput.Transacted(isThen, result.Revision, told);
    }

    private static ConfigOutput? FoundBy(QueryAnswer answer) => answer switch
    {
        { Error: ErrorCode.KeyNotFound } => new ConfigOutput.NotFound(),
        { Error: ErrorCode.Ok, Entries: [{ } entry] } => FoundIn(entry),
        _ => null,
    };

    private static ConfigOutput.Found FoundIn(ConfigEntry entry) => new(TextOf(entry.Value), entry.Version, entry.ModifyRevision);

    /// <summary>Without what only makes it long.</summary>
    private static string TextOf(ByteString value) => value.ToStringUtf8().TrimEnd('x');
}
