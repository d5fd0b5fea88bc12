using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>Checks nothing: counts what the log did to the configuration.</summary>
internal sealed class ConfigBranchCounter(ConfigLedger ledger, Happenings happenings)
{
    private readonly Dictionary<(long Session, long Request), Term> _transactions = [];
    private long _compacted = ledger.Compacted;

    /// <summary>Of each entry, before the ledger of holdings takes it over.</summary>
    public void Committed(CommittedEntry entry, bool isNew)
    {
        foreach ((string key, ConfigVersion version) in ledger.LastChanges)
        {
            if (version.Entry is { SessionId: not 0 })
                happenings.Count(Happening.KeyBound);
        }
        if (entry.SessionsEnded.Length > 0 && ledger.LastChanges.Count > 0 && ledger.LastRevisionOfCommand == 0)
            happenings.Count(Happening.BoundKeysEnded);
        if (entry.Command is { Transaction: not null, RequestId: not 0 } command)
            CountRepeats(command, entry.Entry.Term, isNew);
        if (isNew && entry.Command is not null)
            CountCommand(entry.Command, entry.Result);
        else
            CountPolicy(byHand: false);
    }

    private void CountRepeats(Command command, Term term, bool isNew)
    {
        if (isNew)
            _transactions.TryAdd((command.SessionId, command.RequestId), term);
        else if (_transactions.TryGetValue((command.SessionId, command.RequestId), out Term first))
            happenings.Count(first == term ? Happening.TransactionRepeated : Happening.TransactionRepeatedInLaterTerm);
    }

    private void CountCommand(Command command, CommandResult result)
    {
        bool isDone = result.Error == ErrorCode.Ok;
        CountPolicy(byHand: isDone && command.CompactConfig is not null);
        if (result.Error == ErrorCode.ConditionFailed)
            happenings.Count(Happening.ConditionFailed);
        else if (isDone && command.Transaction is not null)
            happenings.Count(result.Outcome == Outcome.Done ? Happening.TransactionDone : Happening.TransactionDoneElse);
        else if (command.Transaction is not null && result.Error is ErrorCode.TooManyKeys or ErrorCode.TooManyBoundKeys)
            happenings.Count(Happening.TransactionRefused);
        else if (isDone && command.RollBackConfig is not null && ledger.LastRevisionOfCommand != 0)
            happenings.Count(Happening.RolledBack);
    }

    private void CountPolicy(bool byHand)
    {
        if (ledger.Compacted > _compacted)
            happenings.Count(byHand ? Happening.CompactedByHand : Happening.CompactedByPolicy);
        _compacted = ledger.Compacted;
    }
}
