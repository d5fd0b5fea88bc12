namespace Coordinator.Silo.Links;

/// <summary>Growing pauses between dials, with jitter: silos that lost each other together don't return in step.</summary>
internal sealed class LinkBackoff(TimeSpan min, TimeSpan max)
{
    private double _factor = 1;

    public void Reset() => _factor = 1;

    public TimeSpan Next()
    {
        TimeSpan full = min * _factor < max ? min * _factor : max;
        if (full < max)
            _factor *= 2;
        return full * (0.5 + Random.Shared.NextDouble() / 2);
    }
}
