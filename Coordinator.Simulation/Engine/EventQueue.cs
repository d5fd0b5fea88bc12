namespace Coordinator.Simulation.Engine;

/// <summary>
/// Virtual real time, microseconds, and everything that will happen. Invariant: time never goes back, and what is due at
/// the same time happens in the order in which it was asked for, and no second of it holds more events than a cluster in its
/// right mind could cause: peers that answer each other without end would keep a run from ever ending.
/// </summary>
internal sealed class EventQueue
{
    private const long EventsPerSecondMax = 500_000;

    private readonly PriorityQueue<Action, Moment> _events = new();
    private long _sequence;
    private long _second;
    private long _executedBefore;

    public long NowUs { get; private set; }

    public long Executed { get; private set; }

    public void After(long delayUs, Action action) => At(NowUs + Math.Max(0, delayUs), action);

    public void At(long timeUs, Action action) =>
        _events.Enqueue(action, new Moment(Math.Max(NowUs, timeUs), _sequence++));

    /// <summary>Runs what is due until <paramref name="timeUs"/>, or until <paramref name="done"/> says so.</summary>
    /// <returns>Whether <paramref name="done"/> ended it.</returns>
    public bool RunUntil(long timeUs, Func<bool>? done = null)
    {
        while (_events.TryPeek(out _, out Moment next) && next.TimeUs <= timeUs)
        {
            Action action = _events.Dequeue();
            NowUs = next.TimeUs;
            Executed++;
            RequireBounded();
            action();
            if (done is not null && done())
                return true;
        }
        NowUs = Math.Max(NowUs, timeUs);
        return false;
    }

    private void RequireBounded()
    {
        long second = NowUs / 1_000_000;
        if (second != _second)
            (_second, _executedBefore) = (second, Executed);
        if (Executed - _executedBefore > EventsPerSecondMax)
            throw new InvariantViolation("traffic is bounded", $"more than {EventsPerSecondMax} events in second {second}");
    }
}
