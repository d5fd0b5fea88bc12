using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Simulation.Linearizability;
using Google.Protobuf;

namespace Coordinator.Tests.Grains;

/// <summary>Puts and reads through one gateway or another, written down as their caller sees them; none is repeated.</summary>
internal sealed class RecordedGateway(OperationRecorder<ConfigInput, ConfigOutput> recorder)
{
    /// <returns>Whether it is known to be done.</returns>
    public async Task<bool> PutAsync(GroupGateway gateway, int caller, string key, string value)
    {
        int operation = recorder.Invoke(caller, new ConfigInput.Put(key, value));
        CommandResult result = (await gateway.ExecuteAsync(
            new Command { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(value) } },
            CancellationToken.None)).Result;
        if (result.Error == ErrorCode.Ok)
            recorder.Return(operation, new ConfigOutput.Stored(result.Version, result.Revision));
        else if (result.Error == ErrorCode.OutcomeUnknown)
            recorder.GiveUp(operation);
        else
            recorder.HadNoEffect(operation);
        return result.Error == ErrorCode.Ok;
    }

    /// <returns>Whether it was answered.</returns>
    public async Task<bool> ReadAsync(GroupGateway gateway, int caller, string key)
    {
        int operation = recorder.Invoke(caller, new ConfigInput.Get(key));
        QueryAnswer answer = await gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = key } }, CancellationToken.None);
        if (answer is { Error: ErrorCode.Ok, Entries: [{ } entry] })
            recorder.Return(operation, new ConfigOutput.Found(entry.Value.ToStringUtf8(), entry.Version, entry.ModifyRevision));
        else if (answer.Error == ErrorCode.KeyNotFound)
            recorder.Return(operation, new ConfigOutput.NotFound());
        else
            recorder.HadNoEffect(operation);
        return answer.Error is ErrorCode.Ok or ErrorCode.KeyNotFound;
    }
}
