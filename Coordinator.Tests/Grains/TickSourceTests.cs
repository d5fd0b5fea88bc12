using Coordinator.Grains;

namespace Coordinator.Tests.Grains;

public sealed class TickSourceTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private readonly HandTimers _time = new();
    private int _first;
    private int _second;

    [Fact]
    public void All_who_want_ticks_share_one_timer()
    {
        TickSource.Of(_time, Period).Add(First);
        TickSource.Of(_time, Period).Add(Second);
        TickSource.Of(_time, Period).Add(Second);
        _time.Fire();

        Assert.Equal((1, 1, 1), (_first, _second, _time.Running.Count));
        TickSource.Of(_time, Period * 2).Add(First);
        Assert.Equal([Period, Period * 2], _time.Running.Select(timer => timer.Period));
    }

    [Fact]
    public void Who_needs_none_gets_none_and_without_anybody_there_is_no_timer()
    {
        TickSource source = TickSource.Of(_time, Period);
        source.Add(First);
        source.Add(Second);
        source.Remove(First);
        _time.Fire();
        Assert.Equal((0, 1), (_first, _second));

        source.Remove(Second);
        source.Remove(Second);
        Assert.Empty(_time.Running);
        source.Add(First);
        _time.Fire();
        Assert.Equal((1, 1), (_first, _second));
    }

    [Fact]
    public void A_tick_that_comes_while_the_one_before_is_told_is_left_out()
    {
        var source = TickSource.Of(_time, Period);
        source.Add(Slow);
        _time.Fire();
        Assert.Equal(1, _first);
        _time.Fire();
        Assert.Equal(2, _first);

        void Slow()
        {
            _first++;
            _time.Fire();
        }
    }

    private void First() => _first++;

    private void Second() => _second++;

    private sealed class HandTimers : TimeProvider
    {
        public List<HandTimer> Running { get; } = [];

        public void Fire() => Running.ForEach(timer => timer.Tick());

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new HandTimer(this, () => callback(state), period);
            Running.Add(timer);
            return timer;
        }
    }

    private sealed class HandTimer(HandTimers all, Action tick, TimeSpan period) : ITimer
    {
        public TimeSpan Period => period;

        public void Tick() => tick();

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => all.Running.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
