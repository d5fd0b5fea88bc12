using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>A conditional put or delete is done exactly if the key is as expected at its place in the log.</summary>
internal sealed class ConditionsDecide(ConfigLedger ledger) : Invariant
{
    protected override string Name => "conditions decide";

    public override void Configuring(CommittedEntry entry)
    {
        Command command = entry.Command!;
        bool? isMet = command.OperationCase switch
        {
            Command.OperationOneofCase.PutConfig => IsMet(
                command.PutConfig.Key,
                command.PutConfig.HasExpectedVersion ? command.PutConfig.ExpectedVersion : null,
                command.PutConfig.HasExpectedModifyRevision ? command.PutConfig.ExpectedModifyRevision : null),
            Command.OperationOneofCase.DeleteConfig => IsMet(
                command.DeleteConfig.Key,
                command.DeleteConfig.HasExpectedVersion ? command.DeleteConfig.ExpectedVersion : null,
                command.DeleteConfig.HasExpectedModifyRevision ? command.DeleteConfig.ExpectedModifyRevision : null),
            _ => null,
        };
        if (isMet is null)
            return;
        Require(
            entry.Result.Error == ErrorCode.ConditionFailed != isMet,
            () => $"entry {entry.Index} comes to {entry.Result.Error}, its condition is {(isMet.Value ? "met" : "not met")}: {command}");
    }

    private bool IsMet(string key, long? version, long? revision)
    {
        ConfigEntry? now = ledger.Find(key);
        return (version is null || version == (now?.Version ?? 0)) && (revision is null || revision == (now?.ModifyRevision ?? 0));
    }
}
