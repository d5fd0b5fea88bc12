using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>What the silo says. Anything unexpected (repeated, late, unknown) is passed over.</summary>
internal sealed partial class ClientMachine
{
    /// <summary>The highest log index in any answer: what was seen once is never unseen (rule 23).</summary>
    private long _seenIndex;

    /// <summary><paramref name="frame"/> came in on link <paramref name="number"/>.</summary>
    public void Received(int number, ServerFrame frame, ClientInstant now)
    {
        Advance(now);
        if (number == _link.Number && _link.Phase is LinkPhase.Greeting or LinkPhase.Ready && !IsForeign(frame))
        {
            _link.SilentSince = _now.Monotonic;
            OnFrame(frame);
        }
        Work();
    }

    private void OnFrame(ServerFrame frame)
    {
        switch (frame.BodyCase)
        {
            case ServerFrame.BodyOneofCase.Welcome:
                OnWelcome(frame.Welcome);
                break;
            case ServerFrame.BodyOneofCase.Command:
                OnCommandAnswer(frame.CorrelationId, frame.Command);
                break;
            case ServerFrame.BodyOneofCase.Query:
                OnQueryAnswer(frame.CorrelationId, frame.Query);
                break;
            case ServerFrame.BodyOneofCase.Cluster:
                OnClusterAnswer(frame.CorrelationId, frame.Cluster);
                break;
            case ServerFrame.BodyOneofCase.KeepAlive:
                OnKeepAliveAnswer(frame.CorrelationId, frame.KeepAlive);
                break;
            case ServerFrame.BodyOneofCase.SessionEnded:
                OnSessionEnded(frame.SessionEnded);
                break;
            case ServerFrame.BodyOneofCase.Failure:
                OnFailure(frame.CorrelationId, frame.Failure);
                break;
            case ServerFrame.BodyOneofCase.WatchPage:
                OnWatchPage(frame.CorrelationId, frame.WatchPage);
                break;
            case ServerFrame.BodyOneofCase.Goodbye:
                DropLink($"It says goodbye: {frame.Goodbye.Reason}");
                break;
        }
    }

    private void OnCommandAnswer(long correlationId, CommandAnswer answer)
    {
        CommandResult result = answer.Result ?? new CommandResult { Error = ErrorCode.Internal };
        if (_current is { Phase: SessionPhase.Opening, IsCreateOnWire: true } opening
            && opening.CorrelationId == correlationId)
        {
            OnCreateAnswer(opening, answer, result);
            return;
        }
        _open.TryGetValue(correlationId, out Operation? operation);
        if (operation is LeaseOperation { IsOnWire: true } lease)
        {
            OnLeaseAnswer(lease, answer, result);
            return;
        }
        if (operation is not CommandOperation command || !command.IsOnWire || (result.Error == ErrorCode.Ok && result.Outcome == Outcome.Queued))
            return;
        OffWire(command);
        if (ErrorRules.IsTransient(result.Error))
        {
            OnTransientRefusal(command, result.Error, answer.Message, answer.LeaderHint);
            return;
        }
        OnGoodAnswer();
        Saw(answer.Position);
        if (result.Error == ErrorCode.SessionNotFound)
            OnSessionGone(command);
        else
            OnFinalAnswer(command, answer, result);
    }

    private void OnFinalAnswer(CommandOperation command, CommandAnswer answer, CommandResult result)
    {
        switch (command)
        {
            case AcquireOperation acquire:
                OnAcquireAnswer(acquire, answer, result);
                break;
            case CancelOperation cancel:
                OnCancelAnswer(cancel, result);
                break;
            // A holding that can't be released would stay for as long as the session lives: never given up.
            case ReleaseOperation when !ErrorRules.MeansNotHeld(result.Error):
                Log(new ClientEvent.ReleaseRefused(result.Error, answer.Message));
                Reissue(command);
                break;
            case ReleaseOperation release:
                EndRelease(release);
                break;
            case HoldingOperation holding:
                OnHoldingAnswer(holding, answer);
                break;
            case MarkOperation mark:
                OnMarked(mark, result);
                break;
            case WriteOperation { Sends: > 1 } when result.Error == ErrorCode.RequestIdStale:
                Complete(command, new Completion.OutcomeUnknown("The cluster has forgotten the write's result."));
                Close(command);
                break;
            default:
                Complete(command, new Completion.Answered(answer));
                Close(command);
                break;
        }
    }

    /// <summary>
    /// The session is over in the log. What was sent once was therefore never executed and goes into the next
    /// session; of what was sent before, the first sending may have been.
    /// </summary>
    private void OnSessionGone(CommandOperation command)
    {
        Session session = command.Session!;
        if (command is WriteOperation { Sends: 1, Caller: not null })
            SendInNextSession(command);
        if (session.IsAlive)
            Lose(session, "The cluster has ended it.");
        else
            EndWithSession(command);
    }

    private void OnTransientRefusal(Operation operation, ErrorCode code, string message, string leaderHint)
    {
        // Nobody waits for this acquire: it is asked for again only if its cancel finds no trace of it.
        if (operation is AcquireOperation { Caller: null })
            operation.RetryAt = TimeSpan.MaxValue;
        else
            RetryLater(operation);
        OnRefusal(code, message, leaderHint);
    }

    private void OnQueryAnswer(long correlationId, QueryAnswer answer)
    {
        if (!_open.TryGetValue(correlationId, out Operation? operation) || operation is not QueryOperation query
            || !query.IsOnWire)
            return;
        OffWire(query);
        if (ErrorRules.IsTransient(answer.Error))
        {
            OnTransientRefusal(query, answer.Error, answer.Message, answer.LeaderHint);
            return;
        }
        OnGoodAnswer();
        Saw(answer.Position);
        Complete(query, IsRolledBack(query.Query, answer)
            ? new Completion.Refused(ErrorCode.RolledBack, ErrorText.Of(ErrorCode.RolledBack))
            : new Completion.Read(answer));
        Close(query);
        if (query.Measures is { } mark)
            OnMeasured(mark, answer);
    }

    private void Saw(Position? position) => _seenIndex = Math.Max(_seenIndex, position?.Index ?? 0);

    private static bool IsRolledBack(Query asked, QueryAnswer answer) =>
        answer.Error == ErrorCode.RolledBack || (answer.Position?.Index ?? 0) < asked.SeenIndex;

    /// <summary>The silo could not make sense of a frame, or of the connection.</summary>
    private void OnFailure(long correlationId, Failure failure)
    {
        if (_current is { Phase: SessionPhase.Opening, IsCreateOnWire: true } opening
            && opening.CorrelationId == correlationId && !ErrorRules.IsTransient(failure.Code))
        {
            Unexpect();
            FailOpening(opening, failure.Code, failure.Message);
        }
        else if (_open.TryGetValue(correlationId, out Operation? operation) && operation.IsOnWire)
        {
            OffWire(operation);
            OnFailedOperation(operation, failure);
        }
        else
        {
            DropLink($"It refused a frame: {failure.Code}. {failure.Message}");
        }
    }

    private void OnFailedOperation(Operation operation, Failure failure)
    {
        if (ErrorRules.IsTransient(failure.Code)
            || operation is not (QueryOperation or WriteOperation or AcquireOperation or LeaseOperation
                or StreamOperation or ClusterOperation))
        {
            OnTransientRefusal(operation, failure.Code, failure.Message, "");
            return;
        }
        Complete(operation, new Completion.Refused(failure.Code, failure.Message));
        if (operation is QueryOperation { Measures.Acquire.Unmeasured: { } unmeasured })
            LoseHolding(unmeasured, "What is left of its maximum hold could not be read.", isOverInLog: false);
        if (operation is not AcquireOperation acquire)
            Close(operation);
        // An earlier sending may have been understood, and wait in the log.
        else if (acquire.Sends > 1 || acquire.Cancel is not null)
            WithdrawAcquire(acquire);
        else
            Resolve(acquire);
    }

    private void OffWire(Operation operation)
    {
        operation.IsOnWire = false;
        if (operation.IsAnsweredSoon)
            Unexpect();
    }
}
