using System.Collections.Concurrent;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Peers that were fenced off in this silo, or could not go on. Invariant: none takes its epoch here before its
/// tombstone's time is over: two silos that both believe that a peer is theirs would otherwise fence each other off
/// for ever, and nobody would be served (rule 27).
/// </summary>
internal sealed class PeerTombstones(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<PeerKey, Tombstone> _tombstones = [];

    /// <param name="ran">How long it had run: who ran longer than its last tombstone stood begins with a short one again.</param>
    /// <returns>How long it stands.</returns>
    public TimeSpan Lay(PeerKey key, TimeSpan ran)
    {
        TimeSpan stands = First;
        if (_tombstones.TryGetValue(key, out Tombstone? last) && ran <= last.Stands)
            stands = last.Stands * 2 < Longest ? last.Stands * 2 : Longest;
        _tombstones[key] = new Tombstone(time.GetTimestamp(), stands);
        return stands;
    }

    /// <summary>Zero or less: there is none any more.</summary>
    public TimeSpan LeftOf(PeerKey key) => _tombstones.TryGetValue(key, out Tombstone? tombstone)
        ? tombstone.Stands - time.GetElapsedTime(tombstone.LaidAt)
        : TimeSpan.Zero;

    private sealed record Tombstone(long LaidAt, TimeSpan Stands);
}
