using Coordinator.Raft;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Which silo a peer belongs on. A pure function, so that silos that decide at the same time decide alike. Invariant: no
/// silo gets a second peer of the group while another has none.
/// </summary>
internal static class PeerSpread
{
    /// <param name="spots">Live silos that can have peers, in an order that is the same on all.</param>
    /// <param name="placed">Peers that are active on one of them.</param>
    /// <param name="peers">All of the group, in order.</param>
    public static T Choose<T>(
        PeerId peer, IReadOnlyList<Spot<T>> spots, IReadOnlyDictionary<PeerId, T> placed, IReadOnlyList<PeerId> peers)
        where T : notnull
    {
        var taken = placed.Where(one => one.Key != peer).Select(one => one.Value).ToList();
        // Others that are nowhere are about to be placed too, perhaps by another silo: each counts on the same turns.
        foreach (PeerId next in peers)
        {
            if (next != peer && placed.ContainsKey(next))
                continue;
            Spot<T> best = spots.MinBy(spot => (On(spot, taken), InZone(spot, spots, taken)))
                ?? throw new InvalidOperationException("No silo can have a peer.");
            if (next == peer)
                return best.Silo;
            taken.Add(best.Silo);
        }
        throw new ArgumentException($"Peer {peer} is not of the group.", nameof(peer));
    }

    /// <summary>Null: nothing is to be moved from this silo now.</summary>
    /// <param name="leader">Moved last.</param>
    public static PeerId? ToMove<T>(
        T own, IReadOnlyList<Spot<T>> spots, IReadOnlyDictionary<PeerId, T> placed, PeerId leader)
        where T : notnull
    {
        List<T> taken = [.. placed.Values];
        if (!spots.Any(spot => On(spot, taken) == 0))
            return null;
        // One at a time over the whole cluster: of silos that have too many, the first of the fullest begins.
        Spot<T>? fullest = spots.Where(spot => On(spot, taken) > 1).MinBy(spot => -On(spot, taken));
        if (fullest is null || !fullest.Silo.Equals(own))
            return null;
        return placed.Where(one => one.Value.Equals(own)).Select(one => one.Key)
            .OrderBy(peer => peer == leader).ThenByDescending(peer => peer).First();
    }

    private static int On<T>(Spot<T> spot, List<T> taken)
        where T : notnull => taken.Count(silo => silo.Equals(spot.Silo));

    private static int InZone<T>(Spot<T> spot, IReadOnlyList<Spot<T>> spots, List<T> taken)
        where T : notnull => taken.Count(silo => spots.Any(other => other.Silo.Equals(silo) && other.Zone == spot.Zone));
}

/// <param name="Zone">Empty: not told; all such silos are one zone.</param>
internal sealed record Spot<T>(T Silo, string Zone);
