namespace Coordinator.Grains.Storage;

/// <summary>
/// Back-off shared by all who connect to one database: after a failure nobody tries again before a pause that doubles,
/// with jitter. Thread-safe.
/// </summary>
internal sealed class Reconnection(TimeSpan delayMin, TimeSpan delayMax, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TimeSpan _delay;
    private long _since;

    /// <summary>Waits until a connection may be tried.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan left;
        lock (_gate)
        {
            left = _delay - time.GetElapsedTime(_since);
        }

        return left > TimeSpan.Zero ? Task.Delay(left, time, cancellationToken) : Task.CompletedTask;
    }

    public void Failed()
    {
        lock (_gate)
        {
            // Those who failed together count as one.
            if (time.GetElapsedTime(_since) < _delay)
            {
                return;
            }

            double doubled = Math.Clamp(_delay.TotalSeconds * 2, delayMin.TotalSeconds, delayMax.TotalSeconds);
            _delay = TimeSpan.FromSeconds(doubled * (0.75 + (0.25 * Random.Shared.NextDouble())));
            _since = time.GetTimestamp();
        }
    }

    public void Succeeded()
    {
        lock (_gate)
        {
            _delay = TimeSpan.Zero;
        }
    }
}
