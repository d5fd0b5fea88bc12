using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>Sessions: opening, the deadline of rule 13, what ends with one.</summary>
internal sealed partial class ClientMachine
{
    private const string SessionLost = "The session was lost, and with it all that it held.";

    // Those that are not over, oldest first. Usually one: see Session.IsPinned.
    private readonly List<Session> _sessions = [];

    // Where new requests go: the last of _sessions, or null.
    private Session? _current;

    // Of a client that has one session for all of its life.
    private bool _isOnlySessionLost;

    private void OpenSessionIfNeeded()
    {
        if (_unsent.Count == 0 || IsStopping)
            return;
        if (_current is { Phase: SessionPhase.Open } current && current.IsPinned(_now.Monotonic)
            && !_options.IsSingleSession)
        {
            current.Phase = SessionPhase.Draining;
            _current = null;
        }
        if (_current is null)
        {
            _current = new Session(_options.NextNonce(), ++_lastId) { Ttl = _options.SessionTtl };
            _sessions.Add(_current);
        }
        if (_current.Phase == SessionPhase.Opening && !_current.IsCreateOnWire
            && _now.Monotonic >= _current.CreateRetryAt)
            SendCreate();
    }

    private void SendCreate()
    {
        Session session = _current!;
        // A session made by the first sending would be half over by now: rather another one.
        if (session.FirstSent is { } first && _now.Since(first) >= _options.Validity(session.Ttl) / 2)
        {
            _sessions.Remove(session);
            session = new Session(_options.NextNonce(), ++_lastId) { Ttl = _options.SessionTtl };
            _sessions.Add(session);
            _current = session;
        }
        session.FirstSent ??= _now;
        session.IsCreateOnWire = true;
        Expect();
        ClientFrame frame = NewFrame(session.CorrelationId);
        frame.Command = session.MakeCreate(_options.ClientName);
        Transmit(frame);
    }

    private void OnCreateAnswer(Session session, CommandAnswer answer, CommandResult result)
    {
        session.IsCreateOnWire = false;
        Unexpect();
        if (ErrorRules.IsTransient(result.Error))
        {
            session.CreateRetryAt = _now.Monotonic + _backoff.Pause(++session.CreateFailures);
            OnRefusal(result.Error, answer.Message, answer.LeaderHint);
            return;
        }
        OnGoodAnswer();
        if (result.Error != ErrorCode.Ok || result.SessionId <= 0)
        {
            FailOpening(session, result.Error == ErrorCode.Ok ? ErrorCode.Internal : result.Error, answer.Message);
            return;
        }
        session.Id = result.SessionId;
        session.Phase = SessionPhase.Open;
        // The cluster may have granted less than was asked for.
        if (result.TtlUs > 0)
            session.Ttl = Earlier(session.Ttl, TimeSpan.FromMicroseconds(result.TtlUs));
        session.Lifetime = new SessionLifetime(session.FirstSent!.Value, _options.Validity(session.Ttl));
        _effects.Add(new ClientEffect.SessionOpened(session, session.Lifetime));
        Log(new ClientEvent.SessionOpened(session.Id, session.Ttl));
        if (session.Lifetime.IsOver(_now))
            Lose(session, "Its deadline passed before it was opened.");
    }

    private void RefuseWithoutSession()
    {
        if (_isOnlySessionLost)
            RefuseUnsent(ErrorCode.SessionNotFound, SessionLost);
    }

    private void FailOpening(Session session, ErrorCode code, string message)
    {
        session.Phase = SessionPhase.Over;
        _sessions.Remove(session);
        _current = null;
        Log(new ClientEvent.SessionRefused(code, message));
        RefuseUnsent(code, $"The client could not open a session: {message}");
    }

    private void RefuseUnsent(ErrorCode code, string message)
    {
        while (_unsent.First is { } first)
        {
            Complete(first.Value, new Completion.Refused(code, message));
            Close(first.Value);
            if (first.Value is AcquireOperation acquire)
                LeaveLine(acquire);
        }
    }

    private void OnSessionEnded(SessionEnded ended)
    {
        if (_sessions.Find(session => session.IsAlive && session.Id == ended.SessionId) is { } session)
            Lose(session, $"The cluster has ended it: {ended.Reason}.");
    }

    private void LoseOverdueSessions()
    {
        for (int i = _sessions.Count - 1; i >= 0; i--)
        {
            if (_sessions[i].IsAlive && _sessions[i].Lifetime!.IsOver(_now))
                Lose(_sessions[i], "No keep-alive was answered before its deadline.");
        }
    }

    /// <summary>The session is over for this client, whatever the cluster thinks of it.</summary>
    private void Lose(Session session, string reason)
    {
        bool wasAlive = session.IsAlive;
        session.Phase = SessionPhase.Over;
        _sessions.Remove(session);
        if (_current == session)
            _current = null;
        if (!wasAlive)
            return;
        _isOnlySessionLost = _options.IsSingleSession;
        _effects.Add(new ClientEffect.SessionLost(session, reason));
        Log(new ClientEvent.SessionLost(session.Id, reason, IsStopping));
        foreach (Operation operation in OpenInOrder())
        {
            if (operation is CommandOperation command && command.Session == session)
                EndWithSession(command);
        }
        while (session.Holdings.First is { } node)
            Drop(node.Value);
        StopObserving(session);
    }

    /// <summary>The host's own watch on a deadline struck first: then session, holding or lease is lost for all.</summary>
    public void HostLost(object subject, ClientInstant now)
    {
        const string Reason = "Its deadline passed while the client was not running.";
        Advance(now);
        switch (subject)
        {
            case Session { IsAlive: true } session:
                Lose(session, Reason);
                break;
            case Holding { Node: not null } holding:
                LoseHolding(holding, Reason, isOverInLog: false);
                break;
            case Lease { IsOver: false } lease:
                LoseLease(lease, Reason);
                break;
        }
        Work();
    }

    private void EndWithSession(CommandOperation operation)
    {
        switch (operation)
        {
            case WriteOperation:
                Complete(operation, new Completion.OutcomeUnknown(
                    "The session was lost while the write was open: it may or may not have happened."));
                Close(operation);
                break;
            case ReleaseOperation release:
                EndRelease(release);
                break;
            case HoldingOperation:
                Complete(operation, new Completion.Refused(ErrorCode.SessionNotFound, SessionLost));
                Close(operation);
                break;
            case AcquireOperation acquire:
                EndAcquireWithSession(acquire);
                break;
            case CancelOperation cancel:
                Close(cancel);
                FinishCancel(cancel);
                break;
            default:
                Close(operation);
                break;
        }
    }

    private void EndDrainedSessions()
    {
        for (int i = _sessions.Count - 1; i >= 0; i--)
        {
            Session session = _sessions[i];
            if (session is not { Phase: SessionPhase.Draining, OpenOperations: 0, Holdings.Count: 0 })
                continue;
            Lose(session, "It is needed no more.");
            EndOnCluster(session);
        }
    }

    private void EndOnCluster(Session session)
    {
        if (session.Id == 0)
            return;
        EndSessionOperation end = new() { Id = ++_lastId };
        Assign(end, session);
        Open(end);
    }

    private TimeSpan NextSessionDue()
    {
        TimeSpan next = TimeSpan.MaxValue;
        foreach (Session session in _sessions)
        {
            if (!session.IsAlive)
            {
                if (!session.IsCreateOnWire && _unsent.Count > 0 && _link.Phase == LinkPhase.Ready)
                    next = Earlier(next, session.CreateRetryAt);
                continue;
            }
            TimeSpan dueIn = Earlier(session.Lifetime!.Remaining(_now), _options.WallCheckInterval);
            if (_link.Phase == LinkPhase.Ready)
                dueIn = Earlier(dueIn, session.KeepAliveDueIn(_now));
            next = Earlier(next, _now.Monotonic + dueIn);
        }
        return next;
    }
}
