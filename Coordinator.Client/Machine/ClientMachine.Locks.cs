using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Acquires and releases: the client's own line for a name, waits, cancels (rule 16).</summary>
internal sealed partial class ClientMachine
{
    private readonly Dictionary<string, LockLine> _lines = new(StringComparer.Ordinal);

    private void EnterLine(AcquireOperation acquire)
    {
        if (acquire.IsBounded)
            acquire.WaitEnd = _now.Monotonic + acquire.Wait;
        if (!_lines.TryGetValue(acquire.Name, out LockLine? line))
            _lines.Add(acquire.Name, line = new LockLine());
        if (line.IsFree)
        {
            line.Acquire = acquire;
            Enqueue(acquire);
        }
        else if (acquire.IsTry)
        {
            // This very client holds the name, or is before the try in line for it.
            Complete(acquire, new Completion.NotAcquired());
        }
        else
        {
            acquire.InLine = line.Waiting.AddLast(acquire);
            _timers.Arm(acquire);
        }
    }

    /// <summary>The occupant is gone: the next in line goes to the cluster.</summary>
    private void ServeLine(string name, LockLine line)
    {
        if (!line.IsFree)
            return;
        if (line.Waiting.First is not { } first)
        {
            _lines.Remove(name);
            return;
        }
        line.Waiting.RemoveFirst();
        AcquireOperation next = first.Value;
        next.InLine = null;
        // Only now does it depend on the cluster.
        next.GiveUpAt = _now.Monotonic + _options.RequestTimeout;
        line.Acquire = next;
        Enqueue(next);
    }

    private void LeaveLine(AcquireOperation acquire)
    {
        if (!_lines.TryGetValue(acquire.Name, out LockLine? line) || line.Acquire != acquire)
            return;
        line.Acquire = null;
        ServeLine(acquire.Name, line);
    }

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
        if (acquire.InLine is { } place)
        {
            place.List!.Remove(place);
            acquire.InLine = null;
            Complete(acquire, new Completion.NotAcquired());
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
        bool isRepeatable = result.Outcome == Outcome.Cancelled || result.Error == ErrorCode.LockAlreadyHeld;
        // Cancelled by nobody here, or overtaken by this client's own release: asked for anew, as long as it may wait.
        if (!isEnd && isRepeatable && acquire is { Caller: not null, Cancel: null, IsTry: false }
            && acquire.WaitEnd > _now.Monotonic)
        {
            Reissue(acquire);
            SetWaitLimits(acquire);
            _timers.Arm(acquire);
            return;
        }
        Complete(acquire, isEnd || isRepeatable
            ? new Completion.NotAcquired()
            : new Completion.Refused(result.Error, answer.Message));
        Resolve(acquire);
    }

    private void OnGranted(AcquireOperation acquire, CommandResult result)
    {
        if (acquire is { Caller: null, Cancel.ReleaseIfGranted: true })
        {
            acquire.UnclaimedToken = result.Token;
            Resolve(acquire);
            return;
        }
        Grant(acquire, result);
    }

    /// <summary>Hands the lock out, or gives it straight back if nobody waits for it any more.</summary>
    private void Grant(AcquireOperation acquire, CommandResult result)
    {
        Session session = acquire.Session!;
        Holding holding = new(session, acquire.Name, result.Token);
        holding.Node = session.Holdings.AddLast(holding);
        LockLine line = _lines[acquire.Name];
        line.Acquire = null;
        line.Holding = holding;
        bool isWanted = acquire.Caller is not null;
        Complete(acquire, new Completion.Acquired(holding, result.Floor));
        Resolve(acquire);
        if (!isWanted)
            BeginRelease(new ReleaseOperation(holding) { Id = ++_lastId });
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
        if (isOver)
        {
            // Whatever the log does with it now ends with the session.
            Complete(acquire, new Completion.NotAcquired());
            Resolve(acquire);
            return;
        }
        acquire.CancelAt = TimeSpan.MaxValue;
        acquire.GiveUpAt = _now.Monotonic + _options.RequestTimeout;
        SendInNextSession(acquire);
    }

    private void BeginRelease(ReleaseOperation release)
    {
        Holding holding = release.Holding;
        if (holding.Node is null)
        {
            Complete(release, new Completion.Released());
            return;
        }
        Assign(release, holding.Session);
        Open(release);
        // Sent before the next in line: the log has both in this order.
        Drop(holding);
    }

    /// <summary>The client no longer counts on the holding.</summary>
    private void Drop(Holding holding)
    {
        holding.Session.Holdings.Remove(holding.Node!);
        holding.Node = null;
        if (!_lines.TryGetValue(holding.Name, out LockLine? line) || line.Holding != holding)
            return;
        line.Holding = null;
        ServeLine(holding.Name, line);
    }
}
