using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A request is executed at most once however often it comes (rules 14 and 15): every revision is made by one entry, a
/// repeat answers with the first result, and what a client is told is what the log says.
/// </summary>
internal sealed class ExactlyOnce(CommittedLog log, HoldingLedger ledger) : Invariant
{
    private readonly Dictionary<(long Session, long Request), CommandResult> _first = [];
    private readonly Dictionary<string, long> _revisionOfValue = new(StringComparer.Ordinal);
    private long _revision = log.BaseIndex;

    protected override string Name => "exactly once";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        if (entry.Command is not { OperationCase: Command.OperationOneofCase.PutConfig or Command.OperationOneofCase.DeleteConfig } command
            || entry.Result.Error != ErrorCode.Ok)
            return;
        CommandResult result = entry.Result;
        bool isRepeat = command.RequestId != 0 && !_first.TryAdd((command.SessionId, command.RequestId), result);
        if (isRepeat)
        {
            CommandResult first = _first[(command.SessionId, command.RequestId)];
            Require(first.Equals(result), () => $"entry {entry.Index} repeats request {command.RequestId} of session {command.SessionId}: {result}, was {first}");
            return;
        }
        Require(result.Revision == _revision + 1, () => $"entry {entry.Index} made revision {result.Revision} after {_revision}");
        _revision = result.Revision;
        if (command.OperationCase == Command.OperationOneofCase.PutConfig)
        {
            string value = command.PutConfig.Value.ToStringUtf8();
            Require(_revisionOfValue.TryAdd(value, result.Revision), () => $"entry {entry.Index} writes a second time what revision {_revisionOfValue[value]} wrote");
        }
    }

    public override void CommandAnswered(SimulatedClient client, Command command, CommandAnswer answer)
    {
        if (command.RequestId == 0 || command.OperationCase is Command.OperationOneofCase.CancelWait or Command.OperationOneofCase.EndSession)
            return;
        Require(
            answer.Result.Error is ErrorCode.RequestIdStale || ledger.HasExecuted(command.SessionId, command.RequestId),
            () => $"client {client.Number} is answered request {command.RequestId} of session {command.SessionId}, which the log doesn't hold: {answer.Result}");
        if (_first.TryGetValue((command.SessionId, command.RequestId), out CommandResult? first))
            Require(first.Equals(answer.Result), () => $"client {client.Number} is answered {answer.Result}, the log says {first}");
    }
}
