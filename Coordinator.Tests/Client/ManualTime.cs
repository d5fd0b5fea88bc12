namespace Coordinator.Tests.Client;

/// <summary>Clocks that run with the system's, ahead of it by what a test says; timers are the system's own.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _wallAheadTicks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _wallAheadTicks));

    public void JumpWall(TimeSpan by) => Interlocked.Add(ref _wallAheadTicks, by.Ticks);
}
