using Coordinator.Contracts;
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
        if (command.OperationCase == Command.OperationOneofCase.PutConfig)
            _requests.Sent(client, command, new ConfigInput.Put(command.PutConfig.Key, TextOf(command.PutConfig.Value)));
        else if (command.OperationCase == Command.OperationOneofCase.DeleteConfig)
            _requests.Sent(client, command, new ConfigInput.Delete(command.DeleteConfig.Key));
    }

    public void Sent(int client, Query query)
    {
        if (query.QueryCase == Query.QueryOneofCase.GetConfig && !query.Serializable)
            _requests.Sent(client, query, new ConfigInput.Get(query.GetConfig.Key));
    }

    public void Answered(Command command, CommandResult result)
    {
        if (command.OperationCase == Command.OperationOneofCase.PutConfig && result.Error == ErrorCode.Ok)
            _requests.Answered(command, new ConfigOutput.Stored(result.Version, result.Revision));
        else if (command.OperationCase == Command.OperationOneofCase.DeleteConfig && result.Error == ErrorCode.Ok)
            _requests.Answered(command, new ConfigOutput.Deleted(result.Revision));
        else if (command.OperationCase == Command.OperationOneofCase.DeleteConfig && result.Error == ErrorCode.KeyNotFound)
            _requests.Answered(command, new ConfigOutput.NotFound());
    }

    public void Answered(Query query, QueryAnswer answer)
    {
        if (query.QueryCase != Query.QueryOneofCase.GetConfig)
            return;
        if (answer.Error == ErrorCode.KeyNotFound)
            _requests.Answered(query, new ConfigOutput.NotFound());
        else if (answer is { Error: ErrorCode.Ok, Entries: [{ } entry] })
            _requests.Answered(query, new ConfigOutput.Found(TextOf(entry.Value), entry.Version, entry.ModifyRevision));
    }

    public void NeverExecuted(Command command) => _requests.HadNoEffect(command);

    /// <summary>Without what only makes it long.</summary>
    private static string TextOf(ByteString value) => value.ToStringUtf8().TrimEnd('x');
}
