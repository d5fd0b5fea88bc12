using Coordinator.Contracts;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A transaction does the branch that its compares decide at its place in the log, all of it, and tells what each operation
/// found there.
/// </summary>
internal sealed class TransactionsAreWhole(ConfigLedger ledger) : Invariant
{
    protected override string Name => "transactions are whole";

    public override void Configuring(CommittedEntry entry)
    {
        if (entry.Command!.Transaction is not { } transaction || entry.Result.Error != ErrorCode.Ok)
            return;
        bool holds = ConfigTrial.Holds(transaction, ledger);
        Outcome expected = holds ? Outcome.Done : Outcome.DoneElse;
        Require(entry.Result.Outcome == expected, () => $"entry {entry.Index} is {entry.Result.Outcome}, its compares say {expected}: {transaction}");
        var trial = new ConfigTrial(ledger, entry.Command.SessionId);
        ConfigOperationResult[] operations = [.. (holds ? transaction.Then : transaction.Else).Select(trial.Do)];
        Require(
            entry.Result.Operations.SequenceEqual(operations),
            () => $"entry {entry.Index} tells {entry.Result}, its branch found {string.Join(' ', operations.AsEnumerable())}");
    }
}
