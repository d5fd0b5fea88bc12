using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A request is executed at most once however often it comes (rules 14 and 15): no value is written twice, a repeat answers
/// with the first result, and what a client is told is what the log says.
/// </summary>
internal sealed class ExactlyOnce(HoldingLedger ledger) : Invariant
{
    private readonly Dictionary<(long Session, long Request), CommandResult> _first = [];
    private readonly Dictionary<string, long> _revisionOfValue = new(StringComparer.Ordinal);

    protected override string Name => "exactly once";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        if (entry.Command is not { } command || !IsWrite(command) || !HoldingLedger.IsExecuted(entry.Result.Error))
            return;
        CommandResult result = entry.Result;
        bool isRepeat = command.RequestId != 0 && !_first.TryAdd((command.SessionId, command.RequestId), result);
        if (isRepeat)
        {
            CommandResult first = _first[(command.SessionId, command.RequestId)];
            Require(IsRepeatOf(first, result), () => $"entry {entry.Index} repeats request {command.RequestId} of session {command.SessionId}: {result}, was {first}");
        }
        else if (result.Error == ErrorCode.Ok)
        {
            foreach (string value in ValuesOf(command, result.Outcome))
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
            Require(first.Equals(answer.Result) || IsRepeatOf(first, answer.Result), () => $"client {client.Number} is answered {answer.Result}, the log says {first}");
    }

    private static bool IsWrite(Command command) => command.OperationCase
        is Command.OperationOneofCase.PutConfig or Command.OperationOneofCase.DeleteConfig
        or Command.OperationOneofCase.Transaction or Command.OperationOneofCase.RollBackConfig;

    /// <summary>What a transaction found is told once.</summary>
    private static bool IsRepeatOf(CommandResult first, CommandResult repeat)
    {
        if (first.Operations.Count == 0)
            return first.Equals(repeat);
        CommandResult kept = first.Clone();
        kept.Operations.Clear();
        return kept.Equals(repeat);
    }

    private static IEnumerable<string> ValuesOf(Command command, Outcome outcome) => command switch
    {
        { PutConfig: { } put } => [put.Value.ToStringUtf8()],
        { Transaction: { } transaction } => (outcome == Outcome.Done ? transaction.Then : transaction.Else)
            .Where(operation => operation.Put is not null)
            .Select(operation => operation.Put.Value.ToStringUtf8()),
        _ => [],
    };
}
