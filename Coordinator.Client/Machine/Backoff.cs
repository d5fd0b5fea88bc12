namespace Coordinator.Client.Machine;

/// <summary>
/// Growing pauses with jitter, so that a thousand clients that lost the same silo don't return in step.
/// </summary>
internal sealed class Backoff(int seed, TimeSpan max)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(20);
    private readonly Random _random = new(seed);

    /// <param name="attempt">1 for the first pause.</param>
    public TimeSpan Pause(int attempt)
    {
        double factor = Math.Pow(2, Math.Min(attempt, 20) - 1);
        TimeSpan full = First * factor < max ? First * factor : max;
        return full * (0.5 + _random.NextDouble() / 2);
    }
}
