using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Simulation.Invariants;

internal sealed partial class HoldingLedger
{
    private void Execute(Command command, CommandResult result, ApplyEffects effects)
    {
        // What is wrong whatever the state is not executed under any id.
        if (CommandRules.Check(command) is not null)
            return;
        if (command.OperationCase == Command.OperationOneofCase.CreateSession && result.Error == ErrorCode.Ok)
            _sessions.Add(result.SessionId);
        bool isNew = command.RequestId == 0 || !_executed.Contains((command.SessionId, command.RequestId));
        // A cancel is executed each time that it comes, and its id is not taken.
        if (command.OperationCase == Command.OperationOneofCase.CancelWait)
        {
            Cancel(command, result);
            return;
        }
        if (isNew && IsExecuted(result.Error))
            ExecuteOnce(command, result, effects);
        if (command.RequestId != 0 && IsExecuted(result.Error))
            _executed.Add((command.SessionId, command.RequestId));
    }

    /// <summary>Otherwise the command was refused before it was looked at, and nothing is kept under its id.</summary>
    public static bool IsExecuted(ErrorCode error) => error is not (
        ErrorCode.SessionNotFound or ErrorCode.RequestIdStale or ErrorCode.RequestMismatch or ErrorCode.TooManyOpenRequests);

    private void ExecuteOnce(Command command, CommandResult result, ApplyEffects effects)
    {
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.AcquireLock:
                Acquire(command, result, effects);
                break;
            case Command.OperationOneofCase.ReleaseLock when result.Outcome == Outcome.Released && result.Holds == 0:
                ReleaseLock release = command.ReleaseLock;
                Release(HeldBy(command, release.Kind, release.Name, result.Token).First(
                    held => release.Permits == 0 || release.Permits == held.Permits));
                break;
            case Command.OperationOneofCase.DowngradeLock when result.Outcome == Outcome.Done:
                HeldBy(command, HoldingKind.Lock, command.DowngradeLock.Name, result.Token).First().IsShared = true;
                break;
            case Command.OperationOneofCase.Proclaim when result.Outcome == Outcome.Done:
                HeldBy(command, HoldingKind.Election, command.Proclaim.Name, result.Token).First().Value = command.Proclaim.Value;
                break;
            case Command.OperationOneofCase.RequestRelease when result.Error == ErrorCode.Ok:
                RequestRelease asked = command.RequestRelease;
                foreach (Claimed held in View(asked.Kind, asked.Name).Holders.Where(held => asked.Token == 0 || asked.Token == held.Token))
                    held.IsAsked = true;
                break;
            case Command.OperationOneofCase.HandOver when result.Outcome == Outcome.Released:
                View(HoldingKind.Election, command.HandOver.Name).HeirSessionId = command.HandOver.ToSessionId;
                Release(HeldBy(command, HoldingKind.Election, command.HandOver.Name, result.Token).First());
                break;
            case Command.OperationOneofCase.AcquireLease when result.Outcome == Outcome.Granted:
                AcquireLease(command.AcquireLease, result);
                break;
            case Command.OperationOneofCase.RenewLease when result.Outcome == Outcome.Done:
                Lease(command.RenewLease.Name, result.Token).EndsUs = LogTimeUs + result.TtlUs;
                break;
            case Command.OperationOneofCase.ReleaseLease when result.Outcome == Outcome.Released:
                Release(Lease(command.ReleaseLease.Name, result.Token));
                break;
        }
    }

    private IEnumerable<Claimed> HeldBy(Command command, HoldingKind kind, string name, long token) =>
        View(kind, name).Holders
            .Where(held => held.SessionId == command.SessionId && held.Token == token)
            .OrderBy(held => held.WaitIndex);

    private Claimed Lease(string name, long token) =>
        View(HoldingKind.Lease, name).Holders.Single(held => held.Token == token);

    private void Acquire(Command command, CommandResult result, ApplyEffects effects)
    {
        // Entered once more: nothing new is held.
        if (result.Holds > 0)
            return;
        List<Claimed> claim = [.. Claimed.Of(command, _index, View)];
        bool waitedWithinEntry = effects.WaitsEnded.Exists(ended => ended.EntryIndex == _index);
        if (result.Outcome == Outcome.Granted && !waitedWithinEntry)
        {
            Grant(claim, result);
        }
        else if (result.Outcome == Outcome.Queued || waitedWithinEntry)
        {
            Enqueue(claim);
            Waits?.Invoke(claim[0], false);
        }
        else
        {
            if (result.Error == ErrorCode.DeadlockDetected)
                CheckDeadlock(claim);
            Ended?.Invoke(claim[0]);
        }
    }

    private void CheckDeadlock(List<Claimed> claim)
    {
        Enqueue(claim);
        Waits?.Invoke(claim[0], true);
        foreach (Claimed part in claim)
            part.View.Waiting.Remove(part);
    }

    private static void Enqueue(List<Claimed> claim)
    {
        foreach (Claimed part in claim)
            part.View.Waiting.Insert(part.IsUpgrade ? 0 : part.View.Waiting.Count, part);
    }

    private void AcquireLease(AcquireLease acquire, CommandResult result)
    {
        HoldingView view = View(HoldingKind.Lease, acquire.Name);
        Claimed? lease = view.Holders.Find(held => held.Token == result.Token);
        if (lease is null)
        {
            lease = new Claimed { View = view, WaitIndex = _index, SessionId = 0, LockDelayUs = acquire.LockDelayUs };
            Grant([lease], result);
        }
        lease.EndsUs = LogTimeUs + result.TtlUs;
    }

    /// <summary>Cancelled with a token: the grant came first, and was given back at once.</summary>
    private void Cancel(Command command, CommandResult result)
    {
        if (result.Outcome != Outcome.Cancelled || result.Token == 0)
            return;
        CancelWait cancel = command.CancelWait;
        foreach (Claimed held in Held.Where(held => held.SessionId == command.SessionId).ToList())
        {
            bool isMeant = cancel.RequestId != 0 ? held.RequestId == cancel.RequestId : held.WaitIndex == cancel.EntryIndex;
            if (isMeant && held.IsUpgrade)
                held.IsShared = true;
            else if (isMeant)
                Release(held);
        }
    }
}
