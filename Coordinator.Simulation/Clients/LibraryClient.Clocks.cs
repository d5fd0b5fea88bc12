using Coordinator.Client.Machine;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// The machine below the program: it sleeps, or its wall clock is set. One that is ever set back never sleeps: both at once
/// would hide the sleep, and no rule claims to notice it.
/// </summary>
internal sealed partial class LibraryClient
{
    private readonly List<Action> _onWaking = [];
    private bool _isAsleep;
    private long _wallOffsetUs = 1_000_000_000;

    /// <summary>Its machine sleeps now and then; the others' wall clocks are set back.</summary>
    public bool Sleeps => Number % 2 == 0;

    private ClientInstant Now => new(TimeSpan.FromMicroseconds(Clock.NowUs), TimeSpan.FromMicroseconds(WallUs));

    private long WallUs => (world.Bug.TrustsMonotonicClock ? Clock.NowUs : world.Events.NowUs) + _wallOffsetUs;

    public void StepWallClock(long us)
    {
        world.Trace.Add($"client {Number}: wall clock set by {us}");
        _wallOffsetUs += us;
    }

    /// <summary>False: it doesn't, or does already.</summary>
    public bool TrySleep()
    {
        if (!Sleeps || _isAsleep || _isDraining)
            return false;
        world.Trace.Add($"client {Number}: falls asleep");
        _isAsleep = true;
        Clock.Suspend();
        // Who sleeps acts on nothing that it believes.
        foreach (Holding holding in _held.Values.SelectMany(held => held))
            Invariants.StoppedBelieving(holding.Name, this);
        return true;
    }

    /// <summary>The library looks at its clocks before anybody can ask it: then what it believes counts again.</summary>
    public void Wake()
    {
        if (!_isAsleep)
            return;
        world.Trace.Add($"client {Number}: wakes");
        _isAsleep = false;
        Clock.Resume();
        int sessions = _held.Count;
        Run(machine => machine.Tick(Now));
        if (_held.Count < sessions)
            world.Happenings.Count(Happening.SleepOutlivedSession);
        Invariants.Woke(this);
        foreach (Holding holding in _held.Values.SelectMany(held => held))
            Invariants.BelievesStill(holding.Name, this, holding.Token);
        Action[] missed = [.. _onWaking];
        _onWaking.Clear();
        foreach (Action action in missed)
            action();
    }

    private void WhenAwake(Action action)
    {
        if (_isAsleep)
            _onWaking.Add(action);
        else
            action();
    }
}
