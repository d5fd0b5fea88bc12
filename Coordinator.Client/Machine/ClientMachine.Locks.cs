using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Acquires and releases of all that a session holds: waits, grants, cancels (rule 16).</summary>
internal sealed partial class ClientMachine
{
    private void SetWaitLimits(AcquireOperation acquire)
    {
        bool isWaiting = acquire.Frame!.Command.AcquireLock.WaitUs > 0;
        acquire.CancelAt = isWaiting ? acquire.WaitEnd + _options.WaitGrace : TimeSpan.MaxValue;
        // Once sent, an unbounded wait lasts as long as its session; any other gets the usual time after its end.
        TimeSpan end = acquire.WaitEnd > _now.Monotonic ? acquire.WaitEnd : _now.Monotonic;
        acquire.GiveUpAt = acquire.IsBounded ? end + _options.RequestTimeout : TimeSpan.MaxValue;
    }

    /// <returns>Whether nothing else is to be looked at.</returns>
    private bool OnAcquireDue(AcquireOperation acquire)
    {
        if (acquire.IsInLine)
        {
            Complete(acquire, new Completion.NotAcquired());
            GiveUpPlaces(acquire);
            return true;
        }
        // The silo should have ended the wait: a caller is told "not acquired" only on the log's word.
        if (acquire.Session is not null && acquire.Cancel is null && _now.Monotonic >= acquire.CancelAt)
            BeginCancel(acquire, releaseIfGranted: false);
        return false;
    }

    private void OnAcquireAnswer(AcquireOperation acquire, CommandAnswer answer, CommandResult result)
    {
        if (result is { Error: ErrorCode.Ok, Outcome: Outcome.Granted })
        {
            OnGranted(acquire, result);
            return;
        }
        bool isEnd = result.Outcome == Outcome.NotAcquired || result.Error == ErrorCode.LockNotAcquired;
        bool isRepeatable = result.Outcome == Outcome.Cancelled
            || (result.Error == ErrorCode.LockAlreadyHeld && acquire.Upgrades is null);
        // Cancelled by nobody here, or overtaken by this client's own release: asked for anew, as long as it may wait.
        if (!isEnd && isRepeatable && acquire is { Caller: not null, Cancel: null, IsTry: false }
            && acquire.WaitEnd > _now.Monotonic)
        {
            Reissue(acquire);
            SetWaitLimits(acquire);
            _timers.Arm(acquire);
            return;
        }
        if (result.Error == ErrorCode.LockNotHeld && acquire.Upgrades is { Node: not null } gone)
            LoseHolding(gone, "The cluster has ended it.", isOverInLog: true);
        Complete(acquire, isEnd || isRepeatable
            ? new Completion.NotAcquired()
            : new Completion.Refused(result.Error, answer.Message));
        Resolve(acquire);
    }

    private void OnGranted(AcquireOperation acquire, CommandResult result)
    {
        if (acquire is { Caller: null, Cancel.ReleaseIfGranted: true })
        {
            acquire.Unclaimed = result;
            Resolve(acquire);
        }
        else if (acquire.Upgrades is { } shared)
        {
            GrantUpgrade(acquire, shared, result);
        }
        else
        {
            Grant(acquire, result);
        }
    }

    /// <summary>Hands the holding out, or gives it straight back if nobody waits for it any more.</summary>
    private void Grant(AcquireOperation acquire, CommandResult result)
    {
        Holding holding = Hold(acquire, result);
        bool isWanted = acquire.Caller is not null;
        if (isWanted && !IsMeasured(acquire, holding))
            Measure(acquire, holding);
        else
            Complete(acquire, new Completion.Acquired(holding));
        Resolve(acquire);
        if (isWanted)
            Compare(holding);
        else
            GiveBack(holding);
    }

    private Holding Hold(AcquireOperation acquire, CommandResult result)
    {
        Session session = acquire.Session!;
        Holding holding = new(session, acquire.Request, acquire.Lines) { RequestId = acquire.Slot!.RequestId };
        holding.Take(result);
        holding.Node = session.Holdings.AddLast(holding);
        foreach (LockLine line in acquire.Lines)
        {
            line.Acquires.Remove(acquire);
            line.Holdings.Add(holding);
        }
        Observe(session);
        return holding;
    }

    /// <summary>The holding is exclusive now, with a token of its own.</summary>
    private void GrantUpgrade(AcquireOperation acquire, Holding holding, CommandResult result)
    {
        bool isWanted = acquire.Caller is not null;
        if (holding.Node is null)
        {
            // Released meanwhile: that release, sent after the upgrade, ends what became of it.
            Complete(acquire, new Completion.Refused(ErrorCode.LockNotHeld, ErrorText.Of(ErrorCode.LockNotHeld)));
            Resolve(acquire);
            return;
        }
        holding.Take(result);
        holding.IsShared = false;
        SetHoldEnd(holding, acquire.FirstSent!.Value, holding.Request.MaxHold);
        Complete(acquire, new Completion.Acquired(holding));
        Resolve(acquire);
        if (isWanted)
            Compare(holding);
        else
            Begin(new HoldingOperation(holding, new Command { DowngradeLock = new DowngradeLock { Name = holding.Name } }) { Id = ++_lastId });
    }

    private void Resolve(AcquireOperation acquire)
    {
        acquire.IsResolved = true;
        Close(acquire);
        // While its cancel is open the name stays taken: that cancel must not meet the next acquire.
        if (acquire.Cancel is null)
            LeaveLine(acquire);
    }

    private void EndAcquireWithSession(AcquireOperation acquire)
    {
        bool isOver = acquire.Caller is null || (!acquire.IsTry && _now.Monotonic >= acquire.WaitEnd);
        if (acquire.Upgrades is not null)
        {
            Complete(acquire, new Completion.Refused(ErrorCode.SessionNotFound, SessionLost));
            Resolve(acquire);
            return;
        }
        if (isOver)
        {
            // Whatever the log does with it now ends with the session.
            Complete(acquire, new Completion.NotAcquired());
            Resolve(acquire);
            return;
        }
        acquire.CancelAt = TimeSpan.MaxValue;
        acquire.GiveUpAt = _now.Monotonic + _options.RequestTimeout;
        acquire.Joins = null;
        SendInNextSession(acquire);
    }

    private void BeginRelease(ReleaseOperation release)
    {
        Holding holding = release.Holding;
        if (holding.Node is null)
        {
            // What the client gave back by itself is waited for by whoever gives it back now.
            if (holding.Releasing.Count > 0)
                PassCaller(release, holding.Releasing[0]);
            Complete(release, new Completion.Released());
            return;
        }
        holding.Releasing.Add(release);
        for (int part = 1; part < holding.Request.Names.Count; part++)
            holding.Releasing.Add(new ReleaseOperation(holding, part) { Id = ++_lastId });
        foreach (ReleaseOperation part in holding.Releasing.ToArray())
        {
            Assign(part, holding.Session);
            Open(part);
        }
        // Sent before the next in line: the log has both in this order.
        Drop(holding);
    }

    /// <summary>One part is released; the caller is told after the last one.</summary>
    private void EndRelease(ReleaseOperation release)
    {
        Close(release);
        List<ReleaseOperation> open = release.Holding.Releasing;
        open.Remove(release);
        if (open.Count > 0)
            PassCaller(release, open[0]);
        Complete(release, new Completion.Released());
    }

    /// <summary>Who waits for the one waits for the other, as long as before; unless somebody does already.</summary>
    private void PassCaller(ReleaseOperation from, ReleaseOperation to)
    {
        if (from.Caller is null || to.Caller is not null)
            return;
        (to.Caller, from.Caller) = (from.Caller, null);
        to.GiveUpAt = from.GiveUpAt;
        _timers.Arm(to);
    }

    /// <summary>Nobody wants it any more.</summary>
    private void GiveBack(Holding holding) => BeginRelease(new ReleaseOperation(holding) { Id = ++_lastId });

    /// <summary>The client no longer counts on the holding.</summary>
    private void Drop(Holding holding)
    {
        holding.Session.Holdings.Remove(holding.Node!);
        holding.Node = null;
        _timed.Remove(holding);
        EndUnmeasured(holding);
        foreach (LockLine line in holding.Lines)
        {
            line.Holdings.Remove(holding);
            if (line.Waiting.First is { Value: var upgrade } && upgrade.Upgrades == holding)
            {
                Complete(upgrade, new Completion.Refused(ErrorCode.LockNotHeld, ErrorText.Of(ErrorCode.LockNotHeld)));
                LeavePlaces(upgrade);
            }
        }
        ServeLines(holding.Lines);
    }
}
