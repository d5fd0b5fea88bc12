using Coordinator.Client.Machine;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// A program that uses the client library: the library's own machine, with connections, clocks and timers of the
/// simulation. What it does is in the other files; this one executes the machine's effects.
/// </summary>
internal sealed partial class LibraryClient(World world, int number, NodeClock clock, Prng random)
    : SimulatedClient(number, clock)
{
    private ClientMachine? _machine;
    private SimulatedStream? _stream;
    private SiloConnection? _connection;
    private bool _isDraining;
    private bool _isStopped;
    private long _tick;

    private Invariants.InvariantSet Invariants => world.Invariants;

    public override bool IsIdle => _isDraining && _isStopped;

    public override void Start()
    {
        Restart();
        ScheduleActivity();
    }

    public override void Drain()
    {
        _isDraining = true;
        Run(machine => machine.Shutdown(Now));
    }

    public override void Vanish()
    {
        if (_isDraining || _isAsleep)
            return;
        world.Happenings.Count(Happening.ClientVanished);
        world.Trace.Add($"client {Number}: vanishes");
        ForgetBeliefs();
        _stream?.Break();
        Restart();
    }

    public override string Describe() => $"stopped {_isStopped}, {_asked.Count} requests sent";

    private void Restart()
    {
        _asked.Clear();
        _sentAtUs.Clear();
        _running = 0;
        _stream = null;
        _connection = null;
        string[] endpoints = [.. Enumerable.Range(1, world.Scenario.PeersMax).Select(id => SiloAddress.Of(new Raft.PeerId(id)))];
        random.Shuffle(endpoints);
        _machine = new ClientMachine(
            new MachineOptions
            {
                Endpoints = endpoints,
                SessionTtl = TimeSpan.FromMilliseconds(random.Between(600, 8_000)),
                RequestTimeout = TimeSpan.FromMilliseconds(random.Between(1_000, 8_000)),
                ClientName = $"c{Number}",
                StreamItemsMax = 8,
                Seed = random.Below(int.MaxValue),
                NextNonce = () => random.Bytes(16),
            },
            Now);
        StartWatches();
    }

    private void Run(Action<ClientMachine> input)
    {
        if (_machine is not { } machine || _isStopped)
            return;
        input(machine);
        // An effect may lead to another input, whose effects come after these.
        ClientEffect[] effects = [.. machine.TakeEffects()];
        foreach (ClientEffect effect in effects)
        {
            if (machine == _machine)
                Execute(effect);
        }
        ScheduleTick(machine);
    }

    private void Execute(ClientEffect effect)
    {
        switch (effect)
        {
            case ClientEffect.Connect connect:
                Connect(connect.Link, SiloAddress.PeerAt(connect.Endpoint));
                break;
            case ClientEffect.Disconnect:
                _stream?.Break();
                _stream = null;
                break;
            case ClientEffect.Send send:
                Send(send.Frame);
                break;
            case ClientEffect.SessionOpened opened:
                Answered(opened.Session, opened.Lifetime);
                break;
            case ClientEffect.SessionExtended extended:
                world.Happenings.Count(Happening.SessionKeptAlive);
                Answered(extended.Session, extended.Lifetime);
                break;
            case ClientEffect.SessionLost lost:
                Lost(lost.Session, lost.Reason);
                break;
            case ClientEffect.HoldingLost lost:
                LoseHolding(lost.Holding);
                break;
            case ClientEffect.ReleaseRequested asked:
                HearRequest(asked.Holding);
                break;
            case ClientEffect.Arrived arrived:
                Arrived((LibraryWatch)arrived.Caller, arrived.Item);
                break;
            case ClientEffect.Completed { Caller: LibraryWatch watch } ended:
                Ended(watch, ended.Completion);
                break;
            case ClientEffect.Completed completed:
                ((Action<Completion>)completed.Caller)(completed.Completion);
                break;
            case ClientEffect.Stopped:
                _isStopped = true;
                _stream?.Break();
                break;
        }
    }

    private void Connect(int link, Raft.PeerId to)
    {
        SimulatedPeer? peer = world.PeerOf(to);
        ClientMachine machine = _machine!;
        SiloConnection? connection = null;
        SimulatedStream? stream = null;
        stream = new SimulatedStream(
            world.Network, world.Events, random, world.PlaceOfClient(Number), (int)to.Value - 1,
            () => WhenAwake(() => OfLink(machine, m => m.Disconnected(link, "reset", Now))), () => connection?.Close());
        _stream = stream;
        _connection = null;
        stream.ToSilo(() =>
        {
            if (peer?.Reached(forRead: random.Chance(0.5)) is not { Machine: not null } process)
            {
                stream.Break();
                return;
            }
            connection = new SiloConnection(process, stream, world.Events, random.Fork(), frame => WhenAwake(() => Receive(machine, link, frame)));
            process.Accept(connection);
            stream.ToClient(() => WhenAwake(() =>
            {
                if (_stream == stream)
                    _connection = connection;
                OfLink(machine, m => m.Connected(link, Now));
            }));
        });
    }

    private void OfLink(ClientMachine machine, Action<ClientMachine> input)
    {
        if (machine == _machine)
            Run(input);
    }

    private void ScheduleTick(ClientMachine machine)
    {
        TimeSpan next = machine.NextTick();
        if (next == TimeSpan.MaxValue)
            return;
        long tick = ++_tick;
        long leftUs = (long)Math.Ceiling((next - Now.Monotonic).TotalMicroseconds);
        world.Events.After(Clock.RealDuration(Math.Max(1, leftUs)), () => WhenAwake(() =>
        {
            if (tick == _tick)
                OfLink(machine, m => m.Tick(Now));
        }));
    }
}
