using System.Collections.Concurrent;

namespace Coordinator.Silo.Links;

/// <summary>
/// Lets what repeats be logged once in an interval. Its keys come from the configuration and from enumerations, never
/// from the wire, so that nobody outside can make it grow.
/// </summary>
internal sealed class LogGate(TimeSpan interval, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string, Enum), long> _lastAt = new();

    public bool Passes(string silo, Enum what)
    {
        long now = time.GetTimestamp();
        if (_lastAt.TryAdd((silo, what), now))
            return true;
        long last = _lastAt[(silo, what)];
        return time.GetElapsedTime(last, now) >= interval && _lastAt.TryUpdate((silo, what), now, last);
    }
}
