using Coordinator.Contracts;

namespace Coordinator.Client.Machine;

/// <summary>
/// All that the client decides: when to connect and to whom, sessions and their deadlines, what is sent, repeated,
/// cancelled and answered. A pure machine: inputs with the time they happened at, effects out through
/// <see cref="TakeEffects"/>; no clock, task, thread or randomness of its own. Invariant: after every input, no session
/// that is past its deadline is alive, and each caller is told exactly once. Not thread-safe.
/// </summary>
internal sealed partial class ClientMachine
{
    private readonly MachineOptions _options;
    private readonly Backoff _backoff;
    private readonly TimerHeap _timers = new();

    // Everything that was sent, or is ready to be, and has no final answer; by correlation id.
    private readonly Dictionary<long, Operation> _open = [];

    // Commands that wait for a session, in order.
    private readonly LinkedList<CommandOperation> _unsent = new();
    private List<ClientEffect> _effects = [];
    private List<ClientEffect> _spare = [];
    private ClientInstant _now;
    private long _lastId;
    private int _callers;

    public ClientMachine(MachineOptions options, ClientInstant now)
    {
        _options = options;
        _backoff = new Backoff(options.Seed, options.BackoffMax);
        Groups = options.Groups;
        _now = now;
    }

    /// <summary>
    /// The effects since the last call, in order. The list is used again: it is good until the call after the next.
    /// </summary>
    public IReadOnlyList<ClientEffect> TakeEffects()
    {
        List<ClientEffect> taken = _effects;
        (_effects, _spare) = (_spare, taken);
        _effects.Clear();
        return taken;
    }

    /// <summary>Begins <paramref name="operation"/>; <paramref name="caller"/> is named in its completion.</summary>
    public void Submit(Operation operation, object caller, ClientInstant now)
    {
        Advance(now);
        operation.Id = ++_lastId;
        operation.Caller = caller;
        _callers++;
        if (IsStopping)
            Complete(operation, new Completion.Stopped());
        // A release has to be possible always: it is what ends other requests' waiting.
        else if (_callers > _options.OpenRequestsMax && operation is not (ReleaseOperation or ReleaseLeaseOperation))
            Complete(operation, new Completion.Refused(ErrorCode.TooManyOpenRequests,
                $"This client has {_options.OpenRequestsMax} open requests already."));
        else
            Begin(operation);
        Work();
    }

    /// <summary>The caller no longer waits. It is told at once; what was sent is withdrawn in the background.</summary>
    public void Cancel(Operation operation, ClientInstant now)
    {
        Advance(now);
        if (operation.Caller is not null)
        {
            Complete(operation, new Completion.Cancelled());
            Withdraw(operation);
        }
        Work();
    }

    public void Tick(ClientInstant now)
    {
        Advance(now);
        Work();
    }

    /// <summary>The monotonic moment at which the machine wants a <see cref="Tick"/> at the latest.</summary>
    public TimeSpan NextTick()
    {
        TimeSpan next = Earlier(_timers.NextDue, Earlier(NextLinkDue(), NextSessionDue()));
        next = Earlier(next, Earlier(NextHoldDue(), NextLeaseDue()));
        return Earlier(next, _stopped ? TimeSpan.MaxValue : _stopBy);
    }

    private void Begin(Operation operation)
    {
        if (operation.GiveUpAt == TimeSpan.MaxValue)
            operation.GiveUpAt = _now.Monotonic + _options.RequestTimeout;
        switch (operation)
        {
            case { Scope: { } scope } when IsElsewhere(scope):
                Complete(operation, new Completion.Elsewhere(scope));
                break;
            case GreetOperation greet:
                BeginGreet(greet);
                break;
            case QueryOperation query:
                query.Query.SeenIndex = _seenIndex;
                query.Frame = NewFrame(query.Id);
                query.Frame.Query = query.Query;
                Open(query);
                break;
            case ClusterOperation cluster:
                BeginCluster(cluster);
                break;
            case AcquireOperation acquire:
                EnterLine(acquire);
                break;
            case ReleaseOperation release:
                BeginRelease(release);
                break;
            case HoldingOperation holding:
                BeginHoldingOperation(holding);
                break;
            case LeaseOperation lease:
                BeginLeaseOperation(lease);
                break;
            case CommandOperation command:
                Enqueue(command);
                break;
            // However long the cluster is away: a watcher waits for it.
            case StreamOperation stream:
                stream.GiveUpAt = TimeSpan.MaxValue;
                Open(stream);
                break;
        }
    }

    /// <summary>Lets time pass: what is over by now is over, before anything else is looked at.</summary>
    private void Advance(ClientInstant now)
    {
        // A host's clock readings may come in out of order; time never goes back here.
        TimeSpan monotonic = now.Monotonic < _now.Monotonic ? _now.Monotonic : now.Monotonic;
        _now = now with { Monotonic = monotonic };
        LoseOverdueSessions();
        LoseOverdueHoldings();
        LoseOverdueLeases();
        CheckLink();
        while (_timers.TakeDue(_now.Monotonic) is { } due)
            OnDue(due);
    }

    /// <summary>Sends whatever can be sent now.</summary>
    private void Work()
    {
        if (_stopped)
            return;
        if (IsStopping && (_open.Count == 0 || _now.Monotonic >= _stopBy))
        {
            Stop();
            return;
        }
        RefuseWithoutSession();
        TryConnect();
        if (_link.Phase != LinkPhase.Ready)
            return;
        SendDueKeepAlives();
        SendDueRenewals();
        OpenSessionIfNeeded();
        SendUnsent();
        EndDrainedSessions();
    }

    private void OnDue(Operation operation)
    {
        if (operation.Caller is not null && operation is AcquireOperation acquire && OnAcquireDue(acquire))
            return;
        if (operation.Caller is not null && _now.Monotonic >= operation.GiveUpAt)
            GiveUp(operation);
        if (!_open.ContainsKey(operation.Id))
            return;
        if (operation.IsOnWire && _now.Monotonic >= operation.OverdueAt)
        {
            // It answers others, but perhaps it can't reach a quorum, and another silo can.
            DropLink($"It left a request unanswered for {_options.RequestTimeout}.");
        }
        else if (!operation.IsOnWire && _now.Monotonic >= operation.RetryAt)
        {
            // Without a link there is nothing to time: the next one begins by sending all that is open.
            operation.RetryAt = TimeSpan.MaxValue;
            if (_link.Phase == LinkPhase.Ready)
                Send(operation);
        }
        _timers.Arm(operation);
    }

    private void GiveUp(Operation operation)
    {
        string trouble = $"The cluster did not answer within {_options.RequestTimeout}. {_trouble}".TrimEnd();
        Complete(operation, operation switch
        {
            WriteOperation { Sends: > 0 } => new Completion.OutcomeUnknown(
                $"{trouble} The write was sent: it may or may not have happened."),
            ClusterOperation { Sends: > 0, IsChange: true } => new Completion.OutcomeUnknown(
                $"{trouble} The change was sent: it may or may not have happened. It is safe to repeat."),
            HoldingOperation { Sends: > 0 } or RenewLeaseOperation { Sends: > 0 } or ReleaseLeaseOperation { Lease: null, Sends: > 0 } =>
                new Completion.OutcomeUnknown($"{trouble} The request was sent: it may or may not have been done."),
            ReleaseOperation or ReleaseLeaseOperation { Lease: not null } => new Completion.Released(),
            _ => new Completion.TimedOut(trouble),
        });
        Withdraw(operation);
    }

    /// <summary>Nobody waits for <paramref name="operation"/> any more.</summary>
    private void Withdraw(Operation operation)
    {
        switch (operation)
        {
            case AcquireOperation acquire:
                WithdrawAcquire(acquire);
                break;
            // Goes on until answered: the lock should not have to wait for the end of the session.
            case ReleaseOperation:
            case ReleaseLeaseOperation:
            // What it may have been granted is given back, as soon as that is known.
            case AcquireLeaseOperation { Sends: > 0 }:
                _timers.Arm(operation);
                break;
            case GreetOperation:
                _greets.Remove(operation);
                Close(operation);
                break;
            case StreamOperation { IsPaused: true } stream:
                Unpause(stream);
                break;
            default:
                if (operation.IsOnWire)
                    Abandon(operation);
                Close(operation);
                GiveUpHandOver(operation);
                break;
        }
    }

    private void Complete(Operation operation, Completion completion)
    {
        if (operation.Caller is not { } caller)
            return;
        operation.Caller = null;
        _callers--;
        _effects.Add(new ClientEffect.Completed(caller, completion));
    }

    private Operation[] OpenInOrder() => [.. _open.Values.OrderBy(operation => operation.Id)];

    private void Log(ClientEvent happened) => _effects.Add(new ClientEffect.Logged(happened));

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
