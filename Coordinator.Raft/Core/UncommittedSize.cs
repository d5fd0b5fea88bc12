namespace Coordinator.Raft.Core;

/// <summary>
/// The payload bytes of a leader's uncommitted entries, kept under a limit. May be too small after a change of
/// leaders, never too large.
/// </summary>
internal sealed class UncommittedSize(long maxBytes)
{
    private long _bytes;

    /// <summary>
    /// False if the bytes don't fit. A single proposal of any size fits an empty tail; entries without payload always
    /// fit, for a new leader's first entry and for leaving a joint configuration.
    /// </summary>
    public bool TryAdd(long bytes)
    {
        if (_bytes > 0 && bytes > 0 && bytes > maxBytes - _bytes)
        {
            return false;
        }

        _bytes += bytes;
        return true;
    }

    public void Remove(long bytes) => _bytes = Math.Max(0, _bytes - bytes);

    public void Reset() => _bytes = 0;
}
