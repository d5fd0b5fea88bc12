namespace Coordinator.Raft.Core;

/// <summary>
/// A small deterministic generator (Steele, Lea, Flood 2014), the same on every platform and in every version of the
/// library. Good enough to spread election time-outs, for nothing else.
/// </summary>
internal struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A number in [0, limit).</summary>
    public int Next(int limit) => (int)(Mix(_state += 0x9E3779B97F4A7C15) % (ulong)limit);

    /// <summary>Spreads a value over all bits, so that neighbouring seeds lead to unlike sequences.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
