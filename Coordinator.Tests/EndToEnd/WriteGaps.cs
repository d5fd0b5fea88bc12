using System.Diagnostics;

namespace Coordinator.Tests.EndToEnd;

/// <summary>The longest time between two acknowledged writes of several writers. Thread-safe.</summary>
internal sealed class WriteGaps
{
    private readonly Lock _gate = new();
    private long _lastAt = Stopwatch.GetTimestamp();
    private long _count;

    public TimeSpan Longest { get; private set; }

    /// <summary>From now on gaps count.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _lastAt = Stopwatch.GetTimestamp();
            Longest = TimeSpan.Zero;
        }
    }

    public void Acknowledged()
    {
        lock (_gate)
        {
            TimeSpan gap = Stopwatch.GetElapsedTime(_lastAt);
            Longest = gap > Longest ? gap : Longest;
            _lastAt = Stopwatch.GetTimestamp();
            _count++;
        }
    }

    /// <summary>Ends when so many more have been acknowledged.</summary>
    public async Task ProgressAsync(long more, TimeSpan limit)
    {
        long startedAt = Stopwatch.GetTimestamp();
        long wanted = Count() + more;
        while (Count() < wanted)
        {
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < limit, "The writers stand still.");
            await Task.Delay(10);
        }
    }

    private long Count()
    {
        lock (_gate)
            return _count;
    }
}
