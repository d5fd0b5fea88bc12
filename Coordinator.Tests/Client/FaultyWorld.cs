using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>
/// Clients, a network that delays, breaks and delivers late, and a cluster that refuses or answers "unknown" now and
/// then; all from one seed. Invariant: events happen in the order of virtual time.
/// </summary>
internal sealed class FaultyWorld
{
    private readonly PriorityQueue<Action, (TimeSpan, long)> _events = new();
    private long _order;

    public FaultyWorld(int seed, int clients)
    {
        Random = new Random(seed);
        Clients = [.. Enumerable.Range(0, clients).Select(i => new FaultyClient(this, seed * 10 + i))];
    }

    public Random Random { get; }

    public FakeCluster Cluster { get; } = new();

    public FaultyClient[] Clients { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>No faults from now on.</summary>
    public bool IsCalm { get; set; }

    /// <summary>Nothing reaches the cluster before this.</summary>
    public TimeSpan OutageUntil { get; private set; }

    public void BeginOutage(TimeSpan length)
    {
        OutageUntil = Now + length;
        foreach (FaultyClient client in Clients)
            client.Break();
    }

    public void After(TimeSpan delay, Action happens) => _events.Enqueue(happens, (Now + delay, _order++));

    public void Run(TimeSpan until, Action check)
    {
        while (true)
        {
            TimeSpan next = _events.TryPeek(out _, out (TimeSpan At, long) first) ? first.At : TimeSpan.MaxValue;
            FaultyClient? ticking = Clients.MinBy(client => client.NextTick);
            bool isTick = ticking!.NextTick <= next;
            TimeSpan at = isTick ? ticking.NextTick : next;
            if (at > until)
                break;
            Now = at > Now ? at : Now;
            Cluster.Advance(Now);
            if (isTick)
                ticking.Tick();
            else
                _events.Dequeue()();
            check();
        }
        Now = until;
        Cluster.Advance(Now);
    }

    public TimeSpan Delay(double millisecondsMax) => TimeSpan.FromMilliseconds(Random.NextDouble() * millisecondsMax);

    public bool Happens(double probability) => !IsCalm && Random.NextDouble() < probability;
}

/// <summary>A machine in the faulty world, and what its callers believe.</summary>
internal sealed class FaultyClient
{
    private readonly FaultyWorld _world;
    private readonly ClientMachine _machine;
    private readonly Random _nonces;
    private readonly HashSet<Session> _lost = [];
    private TimeSpan _wallAhead;
    private TimeSpan _deliveredToCluster;
    private TimeSpan _deliveredToClient;
    private int _link;
    private bool _isUp;

    public FaultyClient(FaultyWorld world, int seed)
    {
        _world = world;
        _nonces = new Random(seed);
        _machine = new ClientMachine(new MachineOptions
        {
            Endpoints = ["http://one", "http://two"],
            SessionTtl = TimeSpan.FromSeconds(3),
            RequestTimeout = TimeSpan.FromSeconds(4),
            Seed = seed,
            NextNonce = NextNonce,
        }, Clock);
    }

    /// <summary>Granted, neither released nor lost: the caller relies on it.</summary>
    public HashSet<Holding> Believed { get; } = [];

    public Dictionary<object, Completion> Completed { get; } = [];

    public TimeSpan NextTick => _machine.NextTick();

    public Action<object, Completion> OnCompleted { get; set; } = (_, _) => { };

    private ClientInstant Clock => new(_world.Now, _world.Now + _wallAhead);

    public void Tick() => Do(() => _machine.Tick(Clock));

    public void Submit(Operation operation, object caller) => Do(() => _machine.Submit(operation, caller, Clock));

    public void Cancel(Operation operation) => Do(() => _machine.Cancel(operation, Clock));

    public void Release(Holding holding)
    {
        if (Believed.Remove(holding))
            Submit(new ReleaseOperation(holding), new object());
    }

    public void JumpWall(TimeSpan by) => _wallAhead += by;

    public void Break()
    {
        if (!_isUp)
            return;
        _isUp = false;
        int link = _link;
        Do(() => _machine.Disconnected(link, "broken", Clock));
    }

    private byte[] NextNonce()
    {
        byte[] nonce = new byte[16];
        _nonces.NextBytes(nonce);
        return nonce;
    }

    private void Do(Action input)
    {
        input();
        foreach (ClientEffect effect in _machine.TakeEffects().ToArray())
            Execute(effect);
    }

    private void Execute(ClientEffect effect)
    {
        switch (effect)
        {
            case ClientEffect.Connect connect:
                _link = connect.Link;
                _world.After(_world.Delay(5), () => Connect(connect.Link));
                break;
            case ClientEffect.Disconnect:
                _isUp = false;
                break;
            case ClientEffect.Send send:
                ToCluster(send.Link, send.Frame);
                break;
            case ClientEffect.SessionLost lost:
                _lost.Add(lost.Session);
                Believed.RemoveWhere(holding => holding.Session == lost.Session);
                break;
            case ClientEffect.Completed completed:
                Completed.Add(completed.Caller, completed.Completion);
                if (completed.Completion is Completion.Acquired acquired)
                {
                    Assert.DoesNotContain(acquired.Holding.Session, _lost);
                    Believed.Add(acquired.Holding);
                }
                OnCompleted(completed.Caller, completed.Completion);
                break;
        }
    }

    private void Connect(int link)
    {
        if (link != _link)
            return;
        if (_world.Happens(0.2) || _world.Now < _world.OutageUntil)
        {
            Do(() => _machine.Disconnected(link, "refused", Clock));
            return;
        }
        _isUp = true;
        Do(() => _machine.Connected(link, Clock));
    }

    /// <summary>In order, and sometimes long after its link is gone: an answer to nobody, but an entry in the log.</summary>
    private void ToCluster(int link, ClientFrame frame)
    {
        TimeSpan delay = _world.Happens(0.02) ? _world.Delay(4000) : _world.Delay(10);
        bool isLate = delay > TimeSpan.FromMilliseconds(10);
        TimeSpan at = _world.Now + delay;
        // What is late goes its own way, as over a link that broke; all else keeps its order.
        if (!isLate)
            at = _deliveredToCluster = at > _deliveredToCluster ? at : _deliveredToCluster;
        if (isLate)
            _world.After(TimeSpan.Zero, Break);
        _world.After(at - _world.Now, () => Arrive(link, frame.Clone()));
    }

    private void Arrive(int link, ClientFrame frame)
    {
        if (_world.Now < _world.OutageUntil)
            return;
        switch (frame.BodyCase)
        {
            case ClientFrame.BodyOneofCase.Hello:
                ToClient(link, new ServerFrame { Welcome = new Welcome { ProtocolVersion = 1, Groups = 1 } });
                break;
            case ClientFrame.BodyOneofCase.KeepAlive when !_world.Happens(0.1):
                ToClient(link, new ServerFrame
                {
                    CorrelationId = frame.CorrelationId,
                    KeepAlive = _world.Cluster.KeepAlive(frame.KeepAlive.SessionId),
                });
                break;
            case ClientFrame.BodyOneofCase.Command when _world.Happens(0.05):
                Refuse(link, frame, ErrorCode.NoQuorum);
                break;
            case ClientFrame.BodyOneofCase.Command when _world.Happens(0.05):
                Refuse(link, frame, ErrorCode.OutcomeUnknown);
                _world.Cluster.Execute(frame.Command, _ => { });
                break;
            case ClientFrame.BodyOneofCase.Command:
                _world.Cluster.Execute(frame.Command, answer => ToClient(link, new ServerFrame
                {
                    CorrelationId = frame.CorrelationId,
                    Command = answer,
                }));
                break;
        }
    }

    private void Refuse(int link, ClientFrame frame, ErrorCode error) => ToClient(link, new ServerFrame
    {
        CorrelationId = frame.CorrelationId,
        Command = new CommandAnswer { Result = new CommandResult { Error = error } },
    });

    private void ToClient(int link, ServerFrame frame)
    {
        if (_world.Happens(0.02))
            _world.After(TimeSpan.Zero, Break);
        TimeSpan at = _world.Now + _world.Delay(10);
        at = _deliveredToClient = at > _deliveredToClient ? at : _deliveredToClient;
        // A broken link may still deliver: the machine has to know better.
        _world.After(at - _world.Now, () => Do(() => _machine.Received(link, frame, Clock)));
    }
}
