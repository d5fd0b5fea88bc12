using Coordinator.Contracts;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// A program that uses the cluster: keeps a session alive, takes locks and gives them back, writes and reads
/// configuration; asks whom it believes to lead, and asks again when it hears nothing. Invariant: it acts only on what
/// it has been told, and on its own clock.
/// </summary>
internal sealed partial class SimulatedClient(World world, int number, NodeClock clock, Prng random)
{
    private readonly List<ClientRequest> _open = [];
    private ClientSession? _session;
    private bool _isOpening;
    private bool _isDraining;
    private int _leader;
    private int _generation;

    public int Number { get; } = number;

    public NodeClock Clock { get; } = clock;

    private Invariants.InvariantSet Invariants => world.Invariants;

    private SentTime Now => new(Clock.NowUs, world.Events.NowUs);

    /// <summary>Nothing is asked for any more, and the session has been ended.</summary>
    public bool IsIdle => _isDraining && _open.Count == 0 && _session is null && !_isOpening;

    public void Start()
    {
        _leader = random.Below(world.Scenario.Peers);
        ScheduleStep();
    }

    /// <summary>Asks for nothing new, gives back what it holds, and ends its session.</summary>
    public void Drain() => _isDraining = true;

    /// <summary>As a process that was killed: a new one knows nothing of it.</summary>
    public void Vanish()
    {
        world.Happenings.Count(Happening.ClientVanished);
        world.Trace.Add($"client {Number}: vanishes");
        _generation++;
        if (_session is { } session)
            Lose(session);
        foreach (ClientRequest request in _open)
            request.IsDone = true;
        _open.Clear();
        _isOpening = false;
    }

    public string Describe() =>
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
            else if (_open.Count < 8)
                Act(session);
        }
        else if (!_isOpening && !_isDraining)
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
        Invariants.SessionAnswered(this, session, first);
        WatchDeadline(session);
        KeepAlive(session);
    }

    private void KeepAlive(ClientSession session)
    {
        if (session.IsOver || session.IsClosing)
            return;
        SentTime sent = Now;
        ReachLeader(process => process.Submit(this, session.Id, sent));
        world.Events.After(Clock.RealDuration(session.TtlUs / random.Between(3, 6)), () => KeepAlive(session));
    }

    public void KeptAlive(SentTime sent, KeepAliveAnswer answer)
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
                Invariants.SessionAnswered(this, session, sent);
                break;
            case ErrorCode.SessionNotFound:
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
