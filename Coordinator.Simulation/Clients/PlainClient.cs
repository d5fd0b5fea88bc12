using Coordinator.Contracts;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// A client that speaks to replicas without the client library: keeps a session alive, takes locks and gives them back,
/// writes and reads configuration; asks whom it believes to lead, and asks again, often and from several, when it hears
/// nothing.
/// </summary>
internal sealed partial class PlainClient(World world, int number, NodeClock clock, Prng random)
    : SimulatedClient(number, clock)
{
    private const int LastInterventions = 4;

    private readonly List<ClientRequest> _open = [];
    private SimulatedWatcher? _watcher;
    private ClientSession? _session;
    private bool _isOpening;
    private bool _isResting;
    private bool _isDraining;
    private int _leader;
    private long _seenIndex;

    private Invariants.InvariantSet Invariants => world.Invariants;

    private SentTime Now => new(Clock.NowUs, world.Events.NowUs);

    public override bool IsIdle => _isDraining && _open.Count == 0 && _session is null && !_isOpening;

    public override void Start()
    {
        _leader = random.Below(world.Peers.Count);
        ScheduleStep();
        _watcher = new SimulatedWatcher(world, this, random.Fork());
        _watcher.Start();
    }

    /// <summary>The last thing it does is to take from others what they keep: they have to hear of it.</summary>
    public override void Rest()
    {
        _isResting = true;
        if (_session is { IsClosing: false } session && session.IsAlive(Clock))
        {
            for (int i = 0; i < LastInterventions; i++)
                Intervene(session);
        }
    }

    public override void Drain()
    {
        _isDraining = true;
        _watcher?.Drain();
    }

    public override void Vanish()
    {
        world.Happenings.Count(Happening.ClientVanished);
        world.Trace.Add($"client {Number}: vanishes");
        if (_session is { } session)
            Lose(session);
        foreach (ClientRequest request in _open)
            request.IsDone = true;
        _open.Clear();
        _isOpening = false;
    }

    public override string Describe() =>
        $"session {_session?.Id} held {_session?.Held.Count} open {string.Join(' ', _open.Select(request => request.Command?.ToString() ?? request.Query!.ToString()))}";

    private void ScheduleStep() => world.Events.After(
        random.Between(1, 2 * world.Scenario.ClientPauseUs),
        () =>
        {
            Step();
            ScheduleStep();
        });

    private void Step()
    {
        if (_session is { IsOver: true })
            _session = null;
        if (_session is { } session)
        {
            if (_isDraining)
                Close(session);
            else if (!_isResting && _open.Count < 8 && !session.IsClosing)
                Act(session);
        }
        else if (!_isOpening && !_isResting && !_isDraining)
        {
            OpenSession();
        }
    }

    private void OpenSession()
    {
        _isOpening = true;
        long ttlUs = random.Between(600, 8_000) * 1_000;
        SentTime first = Now;
        var create = new CreateSession { Nonce = ByteString.CopyFrom(random.Bytes(16)), TtlUs = ttlUs, Metadata = $"c{Number}" };
        Ask(new ClientRequest(new Command { CreateSession = create })
        {
            FirstSent = first,
            Commanded = answer => Opened(answer, ttlUs, first),
        });
    }

    private void Opened(CommandAnswer? answer, long ttlUs, SentTime first)
    {
        _isOpening = false;
        if (answer is not { Result.Error: ErrorCode.Ok })
            return;
        var session = new ClientSession(answer.Result.SessionId, ttlUs);
        // The first sending may be the one that made it.
        session.Answered(first.LocalUs);
        if (!session.IsAlive(Clock))
            return;
        _session = session;
        world.Trace.Add($"client {Number}: session {session.Id} ttl {ttlUs}");
        Invariants.SessionAnswered(BeliefIn(session), first.RealUs);
        WatchDeadline(session);
        KeepAlive(session);
    }

    private SessionBelief BeliefIn(ClientSession session) =>
        new(session.Id, session.TtlUs, this, () => session.IsAlive(Clock));

    private void KeepAlive(ClientSession session)
    {
        if (session.IsOver || session.IsClosing)
            return;
        SentTime sent = Now;
        ReachLeader(process => process.Submit(new ClientKeepAliveTicket(
            session.Id, (from, answer) => SendBack(from, () => KeptAlive(sent, answer)))));
        world.Events.After(Clock.RealDuration(session.TtlUs / random.Between(3, 6)), () => KeepAlive(session));
    }

    private void KeptAlive(SentTime sent, KeepAliveAnswer answer)
    {
        if (_session is not { IsOver: false } session || session.Id != answer.SessionId)
            return;
        switch (answer.Error)
        {
            case ErrorCode.Ok:
                world.Happenings.Count(Happening.SessionKeptAlive);
                if (!session.IsAlive(Clock))
                    return;
                session.Answered(world.Bug.DeadlineFromAnswer ? Clock.NowUs : sent.LocalUs);
                Invariants.SessionAnswered(BeliefIn(session), sent.RealUs);
                break;
            case ErrorCode.SessionNotFound:
                Invariants.SessionGone(session.Id);
                Lose(session);
                break;
            default:
                GuessAgain();
                break;
        }
    }

    private void WatchDeadline(ClientSession session)
    {
        long leftUs = session.DeadlineUs - Clock.NowUs;
        if (session.IsOver || world.Bug.IgnoresDeadline)
            return;
        if (leftUs <= 0)
        {
            world.Happenings.Count(Happening.ClientReachedDeadline);
            Lose(session);
            return;
        }
        world.Events.After(Clock.RealDuration(leftUs), () => WatchDeadline(session));
    }

    /// <summary>Whatever it held is no longer believed in; its requests will never be answered.</summary>
    private void Lose(ClientSession session)
    {
        if (session.IsOver)
            return;
        session.IsOver = true;
        world.Trace.Add($"client {Number}: session {session.Id} is over");
        foreach (HeldLock held in session.Held)
            Invariants.StoppedBelieving(held.Name, this);
        session.Held.Clear();
        foreach (ClientRequest request in _open.Where(request => request.Session == session).ToList())
            Finish(request, (CommandAnswer?)null);
    }

    private void Close(ClientSession session)
    {
        if (session.IsClosing || session.OpenRequests > 0 || session.Held.Count > 0)
            return;
        session.IsClosing = true;
        AskInSession(session, new Command { EndSession = new EndSession() }, _ => Lose(session));
    }
}
