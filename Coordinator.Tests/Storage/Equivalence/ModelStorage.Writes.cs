using Coordinator.Replica.Storage;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

internal sealed partial class ModelStorage
{
    private StepResult Write(ScriptStep step)
    {
        switch (step)
        {
            case ScriptStep.Writes writes:
                return Settle(Begin(writes.Sending, StorageFaults.None));
            case ScriptStep.WritesUnanswered { IsExecuted: var isExecuted } writes:
                return Settle(Begin(writes.Sending, isExecuted
                    ? new StorageFaults { UnknownExecutedChance = 1 }
                    : new StorageFaults { UnknownNotExecutedChance = 1 }));
            case ScriptStep.WritesLate writes:
                _lateAtUs = _events.NowUs + BegunUs + LateUs;
                return Settle(Begin(writes.Sending, new StorageFaults { UnknownLateChance = 1, LateMinUs = LateUs, LateMaxUs = LateUs }));
            case ScriptStep.LateLands:
                _events.RunUntil(_lateAtUs);
                return StepResult.Done;
            case ScriptStep.WritesRefused writes:
                return Settle(Begin(writes.Sending, new StorageFaults { FailedChance = 1 }));
            case ScriptStep.WritesNonsense writes:
                return Nonsense(writes.Sending);
            case ScriptStep.WritesKilled writes:
                return Kill(writes.Sending);
            case ScriptStep.WritesOvertaken writes:
                // The statement checks the row that it has locked: as if it had been sent after the other had taken it.
                StepResult taken = Settle(Begin(writes.Taking));
                return Settle(Begin(writes.Sending, StorageFaults.None)).And(taken);
            case ScriptStep.WritesWhileTaken writes:
                return Settle(BeginCommit(writes.Sending), () => Settle(Begin(writes.Taking)));
            case ScriptStep.WritesWhileWritten writes:
                return Settle(BeginCommit(writes.Sending), () => Settle(Begin(writes.Other, SlowCommit)));
            case ScriptStep.WritesInDoubt writes:
                return Settle(
                    Begin(writes.Sending, SlowCommit with { UnknownLateChance = 1, LateMaxUs = 1 }, BegunUs),
                    () => Settle(Begin(writes.Taking)));
            default:
                throw new InvalidOperationException($"Unknown step {step}.");
        }
    }

    private List<Pending<WriteOutcome>> BeginCommit(Sending sending) => Begin(sending, SlowCommit, BegunUs);

    private List<Pending<WriteOutcome>> Begin(Sending sending, StorageFaults faults, long thenUs = 0)
    {
        _database.Faults = faults;
        List<Pending<WriteOutcome>> pending =
            [.. sending.Writes.Select(write => Begin<WriteOutcome>(answer => _database.Write(write, answer)))];
        _events.RunUntil(_events.NowUs + thenUs);
        return pending;
    }

    private StepResult Settle(List<Pending<WriteOutcome>> pending) => StepResult.Of([.. pending.Select(Settle)]);

    private StepResult Settle(List<Pending<WriteOutcome>> pending, Func<StepResult> meanwhile)
    {
        StepResult other = meanwhile();
        return Settle(pending).And(other);
    }

    private StepResult Kill(Sending sending)
    {
        List<Pending<WriteOutcome>> pending = BeginCommit(sending);
        _events.RunUntil(_events.NowUs + BegunUs);
        // An outage of no length: it ends what is under way.
        _database.GoDown();
        _database.ComeUp();
        return Settle(pending);
    }

    private StepResult Nonsense(Sending sending)
    {
        try
        {
            return Settle(Begin(sending, StorageFaults.None));
        }
        catch (InvariantViolation)
        {
            return new StepResult("nonsense");
        }
    }
}
