using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>The connection: endpoints in turn, leader hints, silence, what is repeated on the next link.</summary>
internal sealed partial class ClientMachine
{
    // Refusals by one silo before another is tried: an election is usually over by then.
    private const int RefusalsMax = 4;

    private readonly Link _link = new();
    private string _trouble = "";

    private bool IsLinkNeeded => _open.Count > 0 || _unsent.Count > 0 || _leases.Count > 0
        || _greets.Count > 0
        || _sessions.Exists(session => session.IsAlive);

    /// <summary>The WebSocket of link <paramref name="number"/> is open.</summary>
    public void Connected(int number, ClientInstant now)
    {
        Advance(now);
        if (number == _link.Number && _link.Phase == LinkPhase.Connecting)
        {
            _link.Phase = LinkPhase.Greeting;
            _link.SilentSince = _now.Monotonic;
            Transmit(new ClientFrame
            {
                Hello = new Hello { ProtocolVersion = Limits.ProtocolVersion, ClientName = _options.ClientName },
            });
        }
        Work();
    }

    /// <summary>Link <paramref name="number"/> could not be opened, or is gone.</summary>
    public void Disconnected(int number, string reason, ClientInstant now)
    {
        Advance(now);
        if (number == _link.Number && _link.Phase is not (LinkPhase.Idle or LinkPhase.Stopped))
            OnLinkGone(reason);
        Work();
    }

    private void TryConnect()
    {
        if (_link.Phase != LinkPhase.Idle || !IsLinkNeeded || _now.Monotonic < _link.NotBefore)
            return;
        _link.Number++;
        _link.Phase = LinkPhase.Connecting;
        _link.Endpoint = _link.Hint ?? _options.Endpoints[_link.NextEndpoint % _options.Endpoints.Count];
        _link.Hint = null;
        _link.SilentSince = _now.Monotonic;
        _effects.Add(new ClientEffect.Connect(_link.Number, _link.Endpoint));
    }

    private void OnWelcome(Welcome welcome)
    {
        if (_link.Phase != LinkPhase.Greeting)
            return;
        if (welcome.ProtocolVersion != Limits.ProtocolVersion)
        {
            DropLink($"It speaks version {welcome.ProtocolVersion} of the protocol, not {Limits.ProtocolVersion}.");
            return;
        }
        if (ProblemOfGroups(welcome) is { } problem)
        {
            DropLink(problem);
            return;
        }
        LearnGroups(welcome.Groups);
        _link.Phase = LinkPhase.Ready;
        _link.Refusals = 0;
        _link.Expected = 0;
        Log(new ClientEvent.Connected(_link.Endpoint, welcome.SiloId));
        // A session's life is at stake, a request's only its time: keep-alives first.
        foreach (Session session in _sessions)
        {
            if (session.IsAlive)
                SendKeepAlive(session);
        }
        foreach (Operation operation in OpenInOrder())
        {
            operation.Failures = 0;
            Send(operation);
            _timers.Arm(operation);
        }
    }

    private void CheckLink()
    {
        if (_now.Monotonic < SilenceEnd())
            return;
        DropLink($"It was silent for {_options.SilenceMax}.");
    }

    private TimeSpan SilenceEnd()
    {
        bool isOwed = _link.Phase is LinkPhase.Connecting or LinkPhase.Greeting
            || (_link.Phase == LinkPhase.Ready && _link.Expected > 0);
        return isOwed ? _link.SilentSince + _options.SilenceMax : TimeSpan.MaxValue;
    }

    private TimeSpan NextLinkDue() =>
        _link.Phase == LinkPhase.Idle && IsLinkNeeded ? _link.NotBefore : SilenceEnd();

    private void DropLink(string reason)
    {
        _effects.Add(new ClientEffect.Disconnect(_link.Number));
        OnLinkGone(reason);
    }

    private void OnLinkGone(string reason)
    {
        _trouble = $"{_link.Endpoint}: {reason}";
        Log(new ClientEvent.NotConnected(_link.Endpoint, reason, _link.Failures > _options.Endpoints.Count));
        _link.Phase = LinkPhase.Idle;
        _link.Failures++;
        _link.NextEndpoint++;
        // The first round goes without a pause: one dead silo should cost a client nothing.
        int attempt = _link.Failures - _options.Endpoints.Count;
        _link.NotBefore = attempt <= 0 ? _now.Monotonic : _now.Monotonic + _backoff.Pause(attempt);
        _keepAlives.Clear();
        foreach (Operation operation in _open.Values)
            operation.IsOnWire = false;
        foreach (Session session in _sessions)
            session.IsCreateOnWire = false;
    }

    private void Open(Operation operation)
    {
        _open.Add(operation.Id, operation);
        if (_link.Phase == LinkPhase.Ready)
            Send(operation);
        _timers.Arm(operation);
    }

    private void Send(Operation operation)
    {
        if (operation is StreamOperation stream)
            Renew(stream);
        operation.IsOnWire = true;
        operation.Sends++;
        operation.FirstSent ??= _now;
        operation.LastSent = _now;
        operation.RetryAt = TimeSpan.MaxValue;
        operation.OverdueAt =
            operation.IsAnsweredSoon ? _now.Monotonic + _options.RequestTimeout : TimeSpan.MaxValue;
        if (operation.IsAnsweredSoon)
            Expect();
        Transmit(operation.Frame!);
    }

    private void Abandon(Operation operation)
    {
        ClientFrame frame = NewFrame(operation.Id);
        frame.Abandon = new Abandon();
        Transmit(frame);
    }

    private void Transmit(ClientFrame frame) => _effects.Add(new ClientEffect.Send(_link.Number, frame));

    private void Expect()
    {
        if (_link.Expected++ == 0)
            _link.SilentSince = _now.Monotonic;
    }

    private void Unexpect() => _link.Expected = Math.Max(0, _link.Expected - 1);

    /// <summary>The silo answered to the purpose: the address is good.</summary>
    private void OnGoodAnswer()
    {
        _link.Failures = 0;
        _link.Refusals = 0;
    }

    /// <summary>A refusal that says nothing about the request: remembered, and perhaps another silo does better.</summary>
    private void OnRefusal(ErrorCode code, string message, string leaderHint)
    {
        _trouble = $"{_link.Endpoint}: {code}. {message}".TrimEnd();
        if (code == ErrorCode.NotLeader && ClientEndpoint.Hinted(leaderHint, _link.Endpoint) is { } leader
            && leader != _link.Endpoint.TrimEnd('/'))
        {
            _link.Hint = leader;
            DropLink($"The leader is at {leader}.");
        }
        else if (ErrorRules.IsOfTheSilo(code) && _options.Endpoints.Count > 1 && ++_link.Refusals >= RefusalsMax)
        {
            DropLink($"{code}, {RefusalsMax} times.");
        }
    }
}
