using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Which silo a peer belongs on. Pure functions, so that silos that decide at the same time decide alike. Invariant: no silo
/// gets a second peer of a group while another has none; beyond that all silos get as many peers, over all groups.
/// </summary>
internal static class PeerSpread
{
    private const int DifferenceMin = 2;

    /// <param name="spots">Live silos that can have peers, in an order that is the same on all.</param>
    /// <param name="placed">Peers of the group that are active on one of them.</param>
    /// <param name="peers">All of the group, in order.</param>
    public static T Choose<T>(
        PeerKey peer, IReadOnlyList<Spot<T>> spots, IReadOnlyDictionary<PeerId, T> placed, IReadOnlyList<PeerId> peers)
        where T : notnull
    {
        IReadOnlyList<Spot<T>> turned = Turned(spots, peer.Group);
        var taken = placed.Where(one => one.Key != peer.Peer).Select(one => one.Value).ToList();
        // Others that are nowhere are about to be placed too, perhaps by another silo: each counts on the same turns.
        foreach (PeerId next in peers)
        {
            if (next != peer.Peer && placed.ContainsKey(next))
                continue;
            Spot<T> best = turned.MinBy(spot => (On(spot, taken), InZone(spot, spots, taken)))
                ?? throw new InvalidOperationException("No silo can have a peer.");
            if (next == peer.Peer)
                return best.Silo;
            taken.Add(best.Silo);
        }
        throw new ArgumentException($"Peer {peer} is not of the group.", nameof(peer));
    }

    /// <summary>Whether no other silo has fewer of the group's other peers.</summary>
    public static bool MayHave<T>(
        T silo, PeerId peer, IReadOnlyList<Spot<T>> spots, IReadOnlyDictionary<PeerId, T> placed)
        where T : notnull
    {
        var taken = placed.Where(one => one.Key != peer).Select(one => one.Value).ToList();
        return taken.Count(other => other.Equals(silo)) == spots.Min(spot => On(spot, taken));
    }

    /// <summary>
    /// What a silo gives away now: of each group one peer at most. First of groups of which a silo has several and another
    /// none; when there are no such groups, of any, from the silo that has most to those that have fewest.
    /// </summary>
    /// <param name="placed">All peers of those groups that may be moved.</param>
    /// <param name="leads">They are moved last.</param>
    /// <param name="most">How many, at most.</param>
    public static IReadOnlyList<PeerMove<T>> Moves<T>(
        T own, IReadOnlyList<Spot<T>> spots, IReadOnlyDictionary<PeerKey, T> placed, Func<PeerKey, bool> leads, int most)
        where T : notnull
    {
        var totals = spots.ToDictionary(spot => spot.Silo, spot => placed.Values.Count(silo => silo.Equals(spot.Silo)));
        var groups = placed.GroupBy(one => one.Key.Group).OrderBy(group => group.Key)
            .Select(group => new PlacedGroup<T>(group.Key, [.. group])).ToList();
        var moves = new List<PeerMove<T>>();
        bool isApart = true;
        foreach (PlacedGroup<T> group in groups)
        {
            if (Giver(spots, group.Taken) is not { } giver)
                continue;
            isApart = false;
            if (giver.Silo.Equals(own) && moves.Count < most)
                Move(group, Turned(spots, group.Group).Where(spot => On(spot, group.Taken) == 0));
        }
        // Of silos that have as many, the first begins: the others would move peers at the same time.
        if (!isApart || spots.Count == 0 || !spots.MaxBy(spot => totals[spot.Silo])!.Silo.Equals(own))
            return moves;
        while (moves.Count < most)
        {
            Spot<T> least = spots.MinBy(spot => totals[spot.Silo])!;
            // Others that have too many give their part too.
            if (totals[own] <= totals.Values.Sum() / spots.Count || totals[own] - totals[least.Silo] < DifferenceMin
                || groups.Where(group => IsAsGood(group, least)).MinBy(group => leads(group.Of(own)[0])) is not { } next)
                break;
            Move(next, [least]);
        }
        return moves;

        void Move(PlacedGroup<T> group, IEnumerable<Spot<T>> targets)
        {
            PeerKey peer = group.Of(own).OrderBy(leads).ThenByDescending(one => one.Peer).First();
            List<T> rest = [.. group.Taken];
            rest.Remove(own);
            Spot<T> to = targets.MinBy(spot => (InZone(spot, spots, rest), totals[spot.Silo]))!;
            totals[own]--;
            totals[to.Silo]++;
            moves.Add(new PeerMove<T>(peer, to.Silo));
            groups = [.. groups.Where(other => other != group)];
        }

        bool IsAsGood(PlacedGroup<T> group, Spot<T> to)
        {
            Spot<T> from = spots.First(spot => spot.Silo.Equals(own));
            List<T> rest = [.. group.Taken];
            return rest.Remove(own) && On(to, rest) <= On(from, rest) && InZone(to, spots, rest) <= InZone(from, spots, rest);
        }
    }

    /// <summary>Who gives a peer of the group away, the first of the fullest; null: nobody has to.</summary>
    private static Spot<T>? Giver<T>(IReadOnlyList<Spot<T>> spots, IReadOnlyList<T> taken)
        where T : notnull => spots.Any(spot => On(spot, taken) == 0)
            ? spots.Where(spot => On(spot, taken) > 1).MaxBy(spot => On(spot, taken))
            : null;

    /// <summary>Each group begins with another silo, or the first ones would have all peers.</summary>
    private static IReadOnlyList<Spot<T>> Turned<T>(IReadOnlyList<Spot<T>> spots, int group)
        where T : notnull => spots.Count == 0 ? spots : [.. spots.Skip(group % spots.Count), .. spots.Take(group % spots.Count)];

    private static int On<T>(Spot<T> spot, IReadOnlyList<T> taken)
        where T : notnull => taken.Count(silo => silo.Equals(spot.Silo));

    private static int InZone<T>(Spot<T> spot, IReadOnlyList<Spot<T>> spots, IReadOnlyList<T> taken)
        where T : notnull => taken.Count(silo => spots.Any(other => other.Silo.Equals(silo) && other.Zone == spot.Zone));

    private sealed record PlacedGroup<T>(int Group, KeyValuePair<PeerKey, T>[] Peers)
        where T : notnull
    {
        public IReadOnlyList<T> Taken { get; } = [.. Peers.Select(peer => peer.Value)];

        public IReadOnlyList<PeerKey> Of(T silo) => [.. Peers.Where(peer => peer.Value.Equals(silo)).Select(peer => peer.Key)];
    }
}

/// <param name="Zone">Empty: not told; all such silos are one zone.</param>
internal sealed record Spot<T>(T Silo, string Zone);

internal sealed record PeerMove<T>(PeerKey Peer, T To);
