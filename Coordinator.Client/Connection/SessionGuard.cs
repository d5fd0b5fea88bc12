using Coordinator.Client.Machine;

namespace Coordinator.Client.Connection;

/// <summary>
/// The host's side of a session: its LostToken, and a watch on the deadline that doesn't depend on the client's loop,
/// which may be blocked or, after the process was stopped, have a backlog. Invariant: once lost, never valid again.
/// Thread-safe.
/// </summary>
internal sealed class SessionGuard : IDisposable
{
    private readonly ClientClock _clock;
    private readonly Action<SessionGuard> _tripped;
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer _timer;
    private volatile SessionLifetime _lifetime;
    private int _isLost;

    public SessionGuard(
        Session session, SessionLifetime lifetime, TimeSpan checkInterval, ClientClock clock,
        Action<SessionGuard> tripped)
    {
        Session = session;
        _lifetime = lifetime;
        _clock = clock;
        _tripped = tripped;
        // Periodic rather than due at the deadline: timers stand still while the machine sleeps, the wall clock doesn't.
        _timer = clock.Time.CreateTimer(
            static state => ((SessionGuard)state!).Check(), this, checkInterval, checkInterval);
    }

    public Session Session { get; }

    public DateTimeOffset ValidUntil
    {
        get
        {
            ClientInstant now = _clock.Now();
            TimeSpan remaining = _lifetime.Remaining(now);
            if (Volatile.Read(ref _isLost) != 0 && remaining > TimeSpan.Zero)
                remaining = TimeSpan.Zero;
            return DateTimeOffset.UnixEpoch + now.Wall + remaining;
        }
    }

    /// <summary>Cancelled already if the deadline has passed, whoever has or hasn't noticed so far.</summary>
    public CancellationToken CheckedLostToken()
    {
        Check();
        return _lost.Token;
    }

    public void Extend(SessionLifetime lifetime) => _lifetime = lifetime;

    /// <summary>Cancels the token. Its callbacks are the users' own and run elsewhere, not on the caller's time.</summary>
    public void Lose()
    {
        if (Interlocked.Exchange(ref _isLost, 1) != 0)
            return;
        _timer.Dispose();
        _ = _lost.CancelAsync();
    }

    /// <summary>The token stays usable: handles may be asked for it at any time.</summary>
    public void Dispose() => _timer.Dispose();

    private void Check()
    {
        if (Volatile.Read(ref _isLost) != 0 || !_lifetime.IsOver(_clock.Now()))
            return;
        Lose();
        _tripped(this);
    }
}
