using Coordinator.Simulation.Engine;

namespace Coordinator.Tests.Simulation;

public sealed class EngineTests
{
    [Fact]
    public void What_is_due_at_the_same_time_happens_in_the_order_in_which_it_was_asked_for()
    {
        var events = new EventQueue();
        var order = new List<int>();
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            events.At(50, () => order.Add(number));
        }
        events.RunUntil(100);
        Assert.Equal(Enumerable.Range(0, 100), order);
        Assert.Equal(100, events.NowUs);
    }

    [Fact]
    public void Time_never_goes_back()
    {
        var events = new EventQueue();
        long seen = -1;
        events.At(30, () => events.At(10, () => seen = events.NowUs));
        events.RunUntil(1000);
        Assert.Equal(30, seen);
    }

    [Fact]
    public void The_generator_gives_the_published_sequence_of_its_algorithm()
    {
        // xoshiro256** from the state that splitmix64 makes of seed 0.
        var random = new Prng(0);
        Assert.Equal(0x99EC5F36CB75F2B4UL, random.Next());
        Assert.Equal(0xBF6E1F784956452AUL, random.Next());
    }

    [Fact]
    public void A_clock_goes_at_its_rate_stands_still_while_suspended_and_jumps()
    {
        var events = new EventQueue();
        var clock = new NodeClock(events, rate: 1.5, offsetUs: 1_000);
        events.RunUntil(100);
        Assert.Equal(1_150, clock.NowUs);
        clock.Suspend();
        events.RunUntil(1_000);
        Assert.Equal(1_150, clock.NowUs);
        clock.Resume();
        events.RunUntil(1_100);
        Assert.Equal(1_300, clock.NowUs);
        clock.Jump(-500);
        Assert.Equal(800, clock.NowUs);
        clock.Jump(300);
        Assert.Equal(1_100, clock.NowUs);
        Assert.Equal(100, clock.RealDuration(150));
    }

    [Fact]
    public void A_trace_that_is_off_builds_no_line()
    {
        var events = new EventQueue();
        var trace = new Trace(events, output: null, hashed: false);
        int built = 0;
        trace.Add($"{Count()}");
        Assert.Equal(0, built);

        int Count() => ++built;
    }
}
