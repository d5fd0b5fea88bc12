using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// Holdings that end before their session. A maximum hold counts from the grant in log time; the client counts from a
/// moment that is certainly not after it, so that its own deadline comes first (rule 13).
/// </summary>
internal sealed partial class ClientMachine
{
    // A grant that came this soon after its request is counted from the sending: that costs at most this part of the hold.
    private const int PromptGrantParts = 10;

    // With a maximum, or with what an entered one has left of it.
    private readonly List<Holding> _timed = [];

    /// <summary>Whether it is known until when the holding lasts; if it can be known, it is so after this.</summary>
    private bool IsMeasured(AcquireOperation acquire, Holding holding)
    {
        // Entered once more: the maximum is that of the first entering.
        if (acquire.Joins is { } joined && joined.Token == holding.Token)
        {
            SetHoldEnd(holding, joined.Lifetime);
            return true;
        }
        // A session holds a lock once: granted anew, what was held before is over.
        if (acquire.Joins is { Node: not null } gone)
            LoseHolding(gone, "The cluster has ended it.", isOverInLog: true);
        TimeSpan maxHold = acquire.Request.MaxHold;
        ClientInstant sent = acquire.FirstSent!.Value;
        if (maxHold > TimeSpan.Zero && _now.Since(sent) > maxHold / PromptGrantParts)
            return false;
        SetHoldEnd(holding, sent, maxHold);
        return true;
    }

    /// <summary>
    /// After a long wait the grant's moment is not known. So an entry is put into the log, which changes nothing, and
    /// then the holder's remaining time is read: of what remains after that entry, at least that much remains after the
    /// entry was first sent.
    /// </summary>
    private void Measure(AcquireOperation acquire, Holding holding)
    {
        acquire.Unmeasured = holding;
        holding.Unmeasured = acquire;
        MarkOperation mark = new(acquire, acquire.Slot!.RequestId) { Id = ++_lastId };
        Assign(mark, holding.Session);
        Open(mark);
    }

    private void OnMarked(MarkOperation mark, CommandResult result)
    {
        AcquireOperation acquire = mark.Acquire;
        Close(mark);
        if (acquire.Unmeasured is not { } holding)
            return;
        if (result is not { Error: ErrorCode.Ok, Outcome: Outcome.Granted })
        {
            LoseHolding(holding, "It was over before it was handed out.", isOverInLog: true);
            return;
        }
        ResourceKey key = holding.Request.KeyOf(0);
        QueryOperation query = new(new Query { GetLock = new GetLock { Kind = key.Kind, Name = key.Name } })
        {
            Id = ++_lastId,
            Measures = mark,
        };
        Begin(query);
    }

    private void OnMeasured(MarkOperation mark, QueryAnswer answer)
    {
        AcquireOperation acquire = mark.Acquire;
        if (acquire.Unmeasured is not { } holding)
            return;
        long[] remaining =
        [
            .. answer.Locks.SelectMany(info => info.Holders)
                .Where(holder => holder.SessionId == holding.Session.Id && holder.Token == holding.Token)
                .Select(holder => holder.RemainingUs < 0 ? long.MaxValue : holder.RemainingUs),
        ];
        if (remaining.Length == 0)
        {
            LoseHolding(holding, "It was over before it was handed out.", isOverInLog: true);
            return;
        }
        acquire.Unmeasured = null;
        holding.Unmeasured = null;
        if (remaining.Min() != long.MaxValue)
            SetHoldEnd(holding, mark.FirstSent!.Value, TimeSpan.FromMicroseconds(Math.Max(1, remaining.Min())));
        Complete(acquire, new Completion.Acquired(holding));
        Compare(holding);
    }

    /// <summary>A holding that is over before it was handed out: its caller gets it as it is, lost.</summary>
    private void EndUnmeasured(Holding holding)
    {
        if (holding.Unmeasured is not { } acquire)
            return;
        holding.Unmeasured = null;
        acquire.Unmeasured = null;
        holding.Lifetime = new SessionLifetime(_now, TimeSpan.Zero);
        Complete(acquire, new Completion.Acquired(holding));
    }

    private void SetHoldEnd(Holding holding, ClientInstant from, TimeSpan maxHold)
    {
        if (maxHold > TimeSpan.Zero)
            SetHoldEnd(holding, new SessionLifetime(from, _options.HoldValidity(maxHold)));
    }

    private void SetHoldEnd(Holding holding, SessionLifetime? lifetime)
    {
        if (lifetime is null)
            return;
        holding.Lifetime = lifetime;
        if (!_timed.Contains(holding))
            _timed.Add(holding);
    }

    private void LoseOverdueHoldings()
    {
        for (int i = _timed.Count - 1; i >= 0; i--)
        {
            // Each loss may take others out.
            if (i < _timed.Count && _timed[i].Lifetime!.IsOver(_now))
                LoseHolding(_timed[i], "Its maximum hold has passed.", isOverInLog: false);
        }
    }

    /// <summary>The holding is over for its holder; the cluster is told, unless it has said so itself.</summary>
    private void LoseHolding(Holding holding, string reason, bool isOverInLog)
    {
        _effects.Add(new ClientEffect.HoldingLost(holding, reason));
        Log(new ClientEvent.HoldingLost(holding.Name, holding.Token, reason));
        if (isOverInLog)
            Drop(holding);
        else
            GiveBack(holding);
    }

    private TimeSpan NextHoldDue()
    {
        TimeSpan next = TimeSpan.MaxValue;
        foreach (Holding holding in _timed)
            next = Earlier(next, _now.Monotonic + holding.Lifetime!.Remaining(_now));
        return next;
    }

    /// <summary>Something that only a holder does to its holding, in its session.</summary>
    private void BeginHoldingOperation(HoldingOperation operation)
    {
        if (operation.Holding.Node is null)
        {
            Complete(operation, new Completion.Refused(ErrorCode.LockNotHeld, ErrorText.Of(ErrorCode.LockNotHeld)));
            return;
        }
        Assign(operation, operation.Holding.Session);
        Open(operation);
    }

    /// <summary>Who stops waiting for a hand-over may lead no longer: so it resigns.</summary>
    private void GiveUpHandOver(Operation operation)
    {
        if (operation is HoldingOperation { Sends: > 0, Command.HandOver: not null, Holding: { Node: not null } holding })
            LoseHolding(holding, "It may have been handed over.", isOverInLog: false);
    }

    private void OnHoldingAnswer(HoldingOperation operation, CommandAnswer answer)
    {
        Holding holding = operation.Holding;
        Complete(operation, new Completion.Answered(answer));
        Close(operation);
        if (holding.Node is null)
            return;
        if (answer.Result.Error == ErrorCode.LockNotHeld)
            LoseHolding(holding, "The cluster has ended it.", isOverInLog: true);
        if (answer.Result.Error != ErrorCode.Ok)
            return;
        switch (operation.Command.OperationCase)
        {
            case Command.OperationOneofCase.DowngradeLock:
                holding.IsShared = true;
                ServeLines(holding.Lines);
                break;
            case Command.OperationOneofCase.HandOver:
                Drop(holding);
                break;
        }
    }
}
