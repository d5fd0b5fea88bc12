using Coordinator.Client.Machine;

namespace Coordinator.Client.Connection;

/// <summary>
/// The host's side of a session, a holding or a lease: its LostToken, and a watch on the deadline that doesn't depend on
/// the client's loop, which may be blocked or, after the process was stopped, have a backlog. A holding is lost with its
/// session. Invariant: once lost, never valid again. Thread-safe.
/// </summary>
internal sealed class LifeGuard : IDisposable
{
    private readonly LifeGuard? _session;
    private readonly ClientClock _clock;
    private readonly TimeSpan _checkInterval;
    private readonly Action<LifeGuard> _tripped;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _releaseRequested = new();
    private readonly CancellationTokenRegistration _withSession;
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private bool _isDisposed;
    private volatile SessionLifetime? _lifetime;
    private volatile string? _releaseReason;
    private int _isLost;

    /// <param name="lifetime">Null: as long as the session.</param>
    /// <param name="session">Null of what is in none.</param>
    public LifeGuard(
        object subject, SessionLifetime? lifetime, LifeGuard? session, TimeSpan checkInterval, ClientClock clock,
        Action<LifeGuard> tripped)
    {
        Subject = subject;
        _session = session;
        _clock = clock;
        _checkInterval = checkInterval;
        _tripped = tripped;
        Extend(lifetime);
        _withSession = session?._lost.Token.UnsafeRegister(static state => ((LifeGuard)state!).Lose(), this) ?? default;
    }

    public object Subject { get; }

    public DateTimeOffset ValidUntil
    {
        get
        {
            ClientInstant now = _clock.Now();
            TimeSpan remaining = Remaining(now);
            return DateTimeOffset.UnixEpoch + now.Wall + remaining;
        }
    }

    public CancellationToken ReleaseRequested => _releaseRequested.Token;

    /// <summary>Why it is to be released; null: it is not asked for.</summary>
    public string? ReleaseReason => _releaseReason;

    private bool IsLost => Volatile.Read(ref _isLost) != 0;

    /// <summary>Cancelled already if the deadline has passed, whoever has or hasn't noticed so far.</summary>
    public CancellationToken CheckedLostToken()
    {
        Check();
        return _lost.Token;
    }

    public void Extend(SessionLifetime? lifetime)
    {
        _lifetime = lifetime;
        lock (_gate)
        {
            // Periodic rather than due at the deadline: timers stand still while the machine sleeps, the wall clock
            // doesn't.
            if (lifetime is not null && !_isDisposed)
            {
                _timer ??= _clock.Time.CreateTimer(
                    static state => ((LifeGuard)state!).Check(), this, _checkInterval, _checkInterval);
            }
        }
    }

    /// <summary>Cancels the token. Its callbacks are the users' own and run elsewhere, not on the caller's time.</summary>
    public void Lose()
    {
        if (Interlocked.Exchange(ref _isLost, 1) != 0)
            return;
        StopTimer();
        _ = _lost.CancelAsync();
    }

    /// <summary>Tells the holder, as <see cref="Lose"/> does.</summary>
    public void RequestRelease(string reason)
    {
        _releaseReason = reason;
        _ = _releaseRequested.CancelAsync();
    }

    /// <summary>Released: nobody watches any more. The token stays usable: handles may be asked for it at any time.</summary>
    public void Dispose()
    {
        _withSession.Unregister();
        StopTimer();
    }

    private void StopTimer()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer?.Dispose();
        }
    }

    private TimeSpan Remaining(ClientInstant now)
    {
        TimeSpan remaining = _lifetime?.Remaining(now) ?? TimeSpan.MaxValue;
        TimeSpan ofSession = _session?.Remaining(now) ?? TimeSpan.MaxValue;
        remaining = remaining < ofSession ? remaining : ofSession;
        return IsLost && remaining > TimeSpan.Zero ? TimeSpan.Zero : remaining;
    }

    private void Check()
    {
        _session?.Check();
        if (IsLost || Remaining(_clock.Now()) > TimeSpan.Zero)
            return;
        Lose();
        _tripped(this);
    }
}
