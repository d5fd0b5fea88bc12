namespace Coordinator.Simulation.Engine;

/// <summary>
/// One machine's monotonic clock: its rate is slightly off, it stands still while the machine is suspended, and where a
/// machine is broken it jumps.
/// </summary>
internal sealed class NodeClock(EventQueue events, double rate, long offsetUs)
{
    private double _localUs = offsetUs;
    private long _readAtUs = events.NowUs;
    private bool _isSuspended;

    public double Rate { get; } = rate;

    public long NowUs
    {
        get
        {
            CatchUp();
            return (long)_localUs;
        }
    }

    /// <summary>How long real time needs for the clock to go on by this much.</summary>
    public long RealDuration(long localUs) => (long)Math.Ceiling(localUs / Rate);

    public void Suspend()
    {
        CatchUp();
        _isSuspended = true;
    }

    public void Resume()
    {
        CatchUp();
        _isSuspended = false;
    }

    public void Jump(long us)
    {
        CatchUp();
        _localUs += us;
    }

    private void CatchUp()
    {
        if (!_isSuspended)
            _localUs += (events.NowUs - _readAtUs) * Rate;
        _readAtUs = events.NowUs;
    }
}
