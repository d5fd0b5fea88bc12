using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// Cancels of waits (rule 16): repeated until answered, and the name stays taken until then. What a cancel finds to have
/// been granted is handed out or given back, never forgotten.
/// </summary>
internal sealed partial class ClientMachine
{
    private void WithdrawAcquire(AcquireOperation acquire)
    {
        if (acquire.IsInLine)
        {
            GiveUpPlaces(acquire);
        }
        else if (acquire.Unmeasured is { Node: not null } holding)
        {
            acquire.Unmeasured = null;
            holding.Unmeasured = null;
            GiveBack(holding);
        }
        else if (acquire.Session is null)
        {
            Close(acquire);
            if (!acquire.IsResolved)
                LeaveLine(acquire);
        }
        else if (acquire.Cancel is null)
        {
            BeginCancel(acquire, releaseIfGranted: true);
        }
    }

    private void BeginCancel(AcquireOperation acquire, bool releaseIfGranted)
    {
        acquire.Cancel = new CancelOperation(acquire, releaseIfGranted) { Id = ++_lastId };
        Assign(acquire.Cancel, acquire.Session!);
        Open(acquire.Cancel);
        _timers.Arm(acquire);
    }

    private void OnCancelAnswer(CancelOperation cancel, CommandResult result)
    {
        AcquireOperation acquire = cancel.Acquire;
        // An upgrade that was granted and is taken back leaves the shared holding, with the upgrade's token.
        if (result is { Outcome: Outcome.Cancelled, Token: not 0 } && acquire.Upgrades is { } shared)
            shared.Token = result.Token;
        bool hasOutcome = result.Error == ErrorCode.Ok && result.Outcome != Outcome.None;
        bool isGrant = hasOutcome && result.Outcome == Outcome.Granted && !cancel.ReleaseIfGranted;
        if (acquire.IsResolved)
        {
            EndUnclaimed(cancel, isFound: hasOutcome);
            return;
        }
        if (!hasOutcome)
        {
            // Neither wait nor holding, yet the acquire has no answer: it has still to reach the log, and would then
            // wait or hold for nobody. So it is sent first, and cancelled after.
            if (!acquire.IsOnWire && result.Error is ErrorCode.Ok or ErrorCode.NotWaiting)
                Send(acquire);
            Reissue(cancel);
            return;
        }
        if (isGrant)
        {
            OnGranted(acquire, result);
        }
        else
        {
            Complete(acquire, new Completion.NotAcquired());
            Resolve(acquire);
        }
        Close(cancel);
        FinishCancel(cancel);
    }

    private void EndUnclaimed(CancelOperation cancel, bool isFound)
    {
        AcquireOperation acquire = cancel.Acquire;
        Session session = cancel.Session!;
        Close(cancel);
        // The grant was seen, but the cancel did not find it. An upgrade's holder gives back what it has by itself.
        if (acquire.Unclaimed is { } grant && !isFound && acquire.Upgrades is null)
        {
            Holding holding = new(session, acquire.Request, []) { RequestId = acquire.Slot!.RequestId };
            holding.Take(grant);
            holding.Node = session.Holdings.AddLast(holding);
            GiveBack(holding);
        }
        FinishCancel(cancel);
    }

    private void FinishCancel(CancelOperation cancel)
    {
        cancel.Acquire.Cancel = null;
        if (cancel.Acquire.IsResolved)
            LeaveLine(cancel.Acquire);
    }
}
