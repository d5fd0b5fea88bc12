namespace Coordinator.Tests.Linearizability;

/// <summary>A clock that stands still until it is told to move, in microseconds.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long nowUs;

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => nowUs;

    public void Advance(long us) => nowUs += us;
}
