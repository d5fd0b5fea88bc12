using System.Runtime.CompilerServices;

namespace Coordinator.Grains;

/// <summary>
/// One timer for all loops of a process that have the same tick. Invariants: there is a timer only while somebody wants its
/// ticks, so a process whose groups all rest does nothing; nobody is told of two ticks at the same time.
/// </summary>
public sealed class TickSource
{
    private static readonly ConditionalWeakTable<TimeProvider, Dictionary<TimeSpan, TickSource>> Sources = [];

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _period;
    private readonly HashSet<Action> _wanted = [];
    private Action[]? _told;
    private ITimer? _timer;
    private int _isTelling;

    private TickSource(TimeProvider time, TimeSpan period)
    {
        _time = time;
        _period = period;
    }

    /// <summary>The one that all share who go by this clock and have this period.</summary>
    public static TickSource Of(TimeProvider time, TimeSpan period)
    {
        Dictionary<TimeSpan, TickSource> sources = Sources.GetOrCreateValue(time);
        lock (sources)
        {
            if (!sources.TryGetValue(period, out TickSource? source))
                sources.Add(period, source = new TickSource(time, period));
            return source;
        }
    }

    /// <param name="tick">Called from then on, at most once more after <see cref="Remove"/>; must not block.</param>
    public void Add(Action tick)
    {
        lock (_lock)
        {
            if (!_wanted.Add(tick))
                return;
            _told = null;
            // Not in the name of the request that happened to wake a group.
            using AsyncFlowControl? flow = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
            _timer ??= _time.CreateTimer(_ => Tick(), null, _period, _period);
        }
    }

    public void Remove(Action tick)
    {
        lock (_lock)
        {
            if (!_wanted.Remove(tick))
                return;
            _told = null;
            if (_wanted.Count > 0)
                return;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Tick()
    {
        // The timer doesn't wait for the tick before: one that comes too early is left out.
        if (Interlocked.Exchange(ref _isTelling, 1) != 0)
            return;
        Action[] told;
        lock (_lock)
            told = _told ??= [.. _wanted];
        foreach (Action tick in told)
            tick();
        Volatile.Write(ref _isTelling, 0);
    }
}
