using System.Security.Cryptography;
using System.Threading.Channels;
using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Client.Connection;

/// <summary>
/// The one owner of the machine: feeds it what happened, with the time, and does what it says. Invariant: nothing here
/// waits for a user's code or for the network.
/// </summary>
internal sealed class ClientLoop : IDisposable
{
    private static readonly TimeSpan TimerMax = TimeSpan.FromDays(1);

    private readonly ClientGroups _groups;
    private readonly CoordinatorClientOptions _options;
    private readonly ILogger _log;
    private readonly MachineOptions _machineOptions;
    private readonly ClientClock _clock;
    private readonly Channel<LoopInput> _inbox;
    private readonly ClientMachine _machine;
    private readonly ITimer _timer;
    private readonly HashSet<PendingCall> _calls = [];
    private readonly HashSet<LifeGuard> _guards = [];
    private SocketLink? _link;
    private TimeSpan _tickAt = TimeSpan.MaxValue;
    private long _sessionId;
    private bool _isStopped;

    public ClientLoop(ClientGroups groups, int group, ClientClock clock, Channel<LoopInput> inbox)
    {
        CoordinatorClientOptions options = groups.Options;
        _groups = groups;
        _options = options;
        _log = options.LoggerFactory?.CreateLogger(ClientLog.Category) ?? NullLogger.Instance;
        _clock = clock;
        _inbox = inbox;
        _machineOptions = new MachineOptions
        {
            Endpoints = [.. options.Endpoints],
            SessionTtl = options.SessionTtl,
            RequestTimeout = options.RequestTimeout,
            DriftMarginRatio = options.DriftMarginRatio,
            DriftMargin = options.DriftMargin,
            ClientName = options.ClientName,
            OpenRequestsMax = options.OpenRequestsMax,
            Group = group,
            Groups = groups.Count,
            Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
            IsSingleSession = options.IsSingleSession,
            NextNonce = () => RandomNumberGenerator.GetBytes(16),
        };
        _machine = new ClientMachine(_machineOptions, clock.Now());
        _timer = clock.Time.CreateTimer(
            _ => Post(new LoopInput(LoopInputKind.Tick)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Null while there is none.</summary>
    public long? SessionId => Volatile.Read(ref _sessionId) is > 0 and var id ? id : null;

    /// <summary>Ends, and never fails, after a shutdown.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (!_isStopped)
            {
                LoopInput input = await _inbox.Reader.ReadAsync().ConfigureAwait(false);
                do
                {
                    // What came before it was passed on, or on the way.
                    if (input.Call?.PassedOnTo is { } other && other != this)
                    {
                        other.Post(input);
                        continue;
                    }
                    Handle(input);
                    if (_groups.Count == 0 && _machine.Groups > 0)
                        _groups.Learn(_machine.Groups);
                    Execute(_machine.TakeEffects());
                }
                while (!_isStopped && _inbox.Reader.TryRead(out input));
                ArmTimer();
            }
        }
        // A broken invariant: whoever holds something must hear of it, whatever it was.
        catch (Exception e)
        {
            Fail(e);
            Log(log => ClientLog.Faulted(log, e));
        }
        await CloseAsync().ConfigureAwait(false);
    }

    public void Dispose() => _timer.Dispose();

    public bool Post(LoopInput input) => _inbox.Writer.TryWrite(input);

    private void Handle(LoopInput input)
    {
        ClientInstant now = _clock.Now();
        switch (input.Kind)
        {
            case LoopInputKind.Submit:
                _calls.Add(input.Call!);
                _machine.Submit(input.Call!.Operation, input.Call, now);
                break;
            case LoopInputKind.Cancel:
                _machine.Cancel(input.Call!.Operation, now);
                break;
            case LoopInputKind.Taken:
                _machine.Taken(((StreamCall)input.Call!).Stream, input.Items, input.Bytes, now);
                break;
            case LoopInputKind.Connected:
                _machine.Connected(input.Link!.Number, now);
                break;
            case LoopInputKind.Disconnected:
                _machine.Disconnected(input.Link!.Number, input.Reason, now);
                break;
            case LoopInputKind.Frames:
                foreach (ServerFrame frame in input.Frames!)
                    _machine.Received(input.Link!.Number, frame, now);
                input.Link!.MessageHandled();
                break;
            case LoopInputKind.GuardTripped:
                _machine.HostLost(input.Guard!.Subject, now);
                break;
            case LoopInputKind.Tick:
                _tickAt = TimeSpan.MaxValue;
                _machine.Tick(now);
                break;
            case LoopInputKind.Shutdown:
                _machine.Shutdown(now);
                break;
        }
    }

    private void Execute(IReadOnlyList<ClientEffect> effects)
    {
        foreach (ClientEffect effect in effects)
        {
            switch (effect)
            {
                case ClientEffect.Send send:
                    if (_link?.Number == send.Link)
                        _link.Send(send.Frame);
                    break;
                case ClientEffect.Completed completed:
                    Complete((PendingCall)completed.Caller, completed.Completion);
                    break;
                case ClientEffect.Arrived arrived:
                    ((StreamCall)arrived.Caller).Add(arrived.Item);
                    break;
                case ClientEffect.SessionExtended extended:
                    ((LifeGuard)extended.Session.Host!).Extend(extended.Lifetime);
                    break;
                case ClientEffect.SessionOpened opened:
                    OpenGuard(opened.Session, opened.Lifetime);
                    break;
                case ClientEffect.SessionLost lost:
                    CloseGuard(lost.Session);
                    break;
                case ClientEffect.HoldingLost lost:
                    ((LifeGuard?)lost.Holding.Host)?.Lose();
                    break;
                case ClientEffect.ReleaseRequested requested:
                    ((LifeGuard?)requested.Holding.Host)?.RequestRelease(requested.Reason);
                    break;
                case ClientEffect.LeaseExtended extended:
                    ((LifeGuard)extended.Lease.Host!).Extend(extended.Lifetime);
                    break;
                case ClientEffect.LeaseLost lost:
                    EndLease(lost.Lease);
                    break;
                case ClientEffect.Connect connect:
                    _link = new SocketLink(connect.Link, connect.Endpoint, _options, input => Post(input));
                    _link.Start();
                    break;
                case ClientEffect.Disconnect:
                    _link?.Abort();
                    break;
                case ClientEffect.Logged logged:
                    Log(log => ClientLog.Write(log, _machineOptions.Group, logged.Event));
                    break;
                case ClientEffect.Stopped:
                    _isStopped = true;
                    break;
            }
        }
    }

    private void Complete(PendingCall call, Completion completion)
    {
        _calls.Remove(call);
        if (completion is Completion.Elsewhere { Scope: var scope })
        {
            PassOn(call, scope);
            return;
        }
        if (completion is Completion.Acquired { Holding: var holding })
            GuardHolding(holding);
        else if (completion is Completion.Leased { Lease: var lease })
            _guards.Add((LifeGuard)(lease.Host = MakeGuard(lease, lease.Lifetime)));
        else if (call.Operation is ReleaseLeaseOperation { Lease.Host: LifeGuard released })
            _guards.Remove(released);
        call.End(completion);
    }

    /// <summary>To its group, in the order in which they were submitted here.</summary>
    private void PassOn(PendingCall call, Scope scope)
    {
        if (scope.In(_groups.Count) is not { } group)
        {
            (ErrorCode code, string message) = scope.Refusal(_groups.Count);
            call.End(new Completion.Refused(code, message));
            return;
        }
        if (_groups.Find(group)?.Loop is not { } loop || !loop.Post(new LoopInput(LoopInputKind.Submit, call)))
        {
            FailCall(call, null);
            return;
        }
        // Only now, so that nothing about the call can come there before the call itself.
        call.PassedOnTo = loop;
    }

    private void OpenGuard(Session session, SessionLifetime lifetime)
    {
        LifeGuard guard = MakeGuard(session, lifetime);
        session.Host = guard;
        _guards.Add(guard);
        Volatile.Write(ref _sessionId, session.Id);
    }

    /// <summary>After an upgrade it has one already, which its holder knows.</summary>
    private void GuardHolding(Holding holding)
    {
        if (holding.Host is LifeGuard known)
            known.Extend(holding.Lifetime);
        else
            holding.Host = MakeGuard(holding, holding.Lifetime, (LifeGuard)holding.Session.Host!);
    }

    private LifeGuard MakeGuard(object subject, SessionLifetime? lifetime, LifeGuard? session = null) => new(
        subject, lifetime, session, _machineOptions.WallCheckInterval, _clock,
        tripped => Post(new LoopInput(LoopInputKind.GuardTripped, Guard: tripped)));

    private void EndLease(Lease lease)
    {
        LifeGuard guard = (LifeGuard)lease.Host!;
        guard.Lose();
        _guards.Remove(guard);
    }

    private void CloseGuard(Session session)
    {
        LifeGuard guard = (LifeGuard)session.Host!;
        guard.Lose();
        _guards.Remove(guard);
        Interlocked.CompareExchange(ref _sessionId, 0, session.Id);
    }

    private void ArmTimer()
    {
        TimeSpan next = _isStopped ? TimeSpan.MaxValue : _machine.NextTick();
        // Only ever moved forward: a tick that finds nothing to do costs less than a timer set with each request.
        if (next >= _tickAt)
            return;
        _tickAt = next;
        TimeSpan dueIn = next - _clock.Now().Monotonic;
        // Timers count whole milliseconds: rounded up, or the tick comes before what it is for.
        double milliseconds = Math.Ceiling(Math.Clamp(dueIn.TotalMilliseconds, 0, TimerMax.TotalMilliseconds));
        _timer.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }

    private void Fail(Exception fault)
    {
        foreach (LifeGuard guard in _guards)
            guard.Lose();
        Volatile.Write(ref _sessionId, 0);
        foreach (PendingCall call in _calls)
            FailCall(call, fault);
        _calls.Clear();
    }

    private static void FailCall(PendingCall call, Exception? fault)
    {
        if (fault is null || call.Operation is ReleaseOperation or ReleaseLeaseOperation)
            call.End(new Completion.Stopped());
        else
            call.Fail(
                new CoordinatorException(ErrorCode.Internal, "The client has stopped, by a fault of its own.", fault));
    }

    private async Task CloseAsync()
    {
        Dispose();
        _inbox.Writer.TryComplete();
        if (_link is { } link)
        {
            link.Close();
            // The close handshake has a moment; a silo that doesn't read any more is not waited for.
            await link.Completion.WaitAsync(_machineOptions.SilenceMax, _clock.Time)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            link.Abort();
            await link.Completion.ConfigureAwait(false);
        }
        while (_inbox.Reader.TryRead(out LoopInput input))
        {
            if (input is { Kind: LoopInputKind.Submit, Call: { } call })
                FailCall(call, null);
        }
    }

    private void Log(Action<ILogger> write)
    {
        try
        {
            write(_log);
        }
        // A log that fails is no reason to lose a lock.
        catch (Exception)
        {
            return;
        }
    }
}
