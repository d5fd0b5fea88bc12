using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The peers in other silos, as those tell of them. Thread-safe. Invariants: of a silo that is not reached nothing is
/// believed but that its peers are there, until it is no member any more; of a peer that two silos tell of, the later
/// activation counts.
/// </summary>
internal sealed class PeersElsewhere(OrleansGroups silo)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SiloAddress, View> _views = [];

    /// <summary>Which answer of the silo was the last to be taken in; 0: none.</summary>
    public long VersionOf(SiloAddress other)
    {
        lock (_gate)
            return _views.GetValueOrDefault(other)?.Facts.Version ?? 0;
    }

    /// <summary>Takes in what a silo has told, or, if that is null, that it is not reached.</summary>
    public void Told(SiloAddress other, SiloFacts? facts)
    {
        lock (_gate)
        {
            if (!_views.TryGetValue(other, out View? view))
                _views[other] = view = new View();
            bool isOtherwise = view.IsReached != (facts is not null) || (facts is not null && view.Facts.Stopping != facts.Stopping);
            HashSet<int> changed = isOtherwise || facts is { Partial: false } ? [.. view.Groups.Keys] : [];
            view.IsReached = facts is not null;
            if (facts is not null)
                changed.UnionWith(view.Take(facts));
            foreach (GroupFact fact in facts?.Groups ?? [])
                silo.Groups[fact.Group].Learn(GroupFacts.IdOf(fact), fact.Place);
            foreach (int group in changed)
                Publish(group);
        }
    }

    /// <summary>What silos have told that are no members any more is forgotten.</summary>
    public void Keep(IReadOnlyCollection<SiloAddress> live)
    {
        lock (_gate)
        {
            foreach (SiloAddress gone in _views.Keys.Except(live).ToArray())
            {
                _views.Remove(gone, out View? view);
                foreach (int group in view!.Groups.Keys)
                    Publish(group);
            }
        }
    }

    /// <summary>Silos that are reached, and don't stop.</summary>
    public IReadOnlyList<SiloAddress> Able()
    {
        lock (_gate)
            return [.. _views.Where(one => one.Value is { IsReached: true, Facts.Stopping: false }).Select(one => one.Key)];
    }

    /// <summary>Peers that are neither here nor on any live silo that has told; null: there is one that was not heard yet.</summary>
    public IReadOnlyList<PeerKey>? Nowhere(IEnumerable<SiloAddress> others)
    {
        lock (_gate)
        {
            return others.All(_views.ContainsKey)
                ? [.. silo.Places.Keys.Where(key => !silo.IsHere(key) && !_views.Values.Any(view => view.Has(key)))]
                : null;
        }
    }

    /// <summary>Where all peers are that are somewhere, on this silo too.</summary>
    public Dictionary<PeerKey, SiloAddress> Placed()
    {
        var placed = new Dictionary<PeerKey, SiloAddress>();
        lock (_gate)
        {
            foreach (PeerKey key in silo.Places.Keys)
            {
                if (silo.IsHere(key))
                    placed[key] = silo.Address;
                else if (_views.FirstOrDefault(view => view.Value.Has(key)).Key is { } other)
                    placed[key] = other;
            }
        }
        return placed;
    }

    private void Publish(int group)
    {
        foreach (PeerId peer in silo.Places.PeersOf(group))
            silo.Groups[group].Told(peer, Best(new PeerKey(group, peer)));
    }

    private ToldPeer? Best(PeerKey key) => _views
        .Where(view => view.Value.IsReached)
        .Select(view => (view.Key, view.Value.Facts.Stopping, Fact: view.Value.Of(key)))
        // One that has no state is there, and does not run yet.
        .Where(told => told.Fact is { State.Length: > 0 })
        .OrderByDescending(told => told.Fact!.Epoch)
        .Select(told => new ToldPeer(told.Key, told.Stopping, told.Fact!))
        .FirstOrDefault();

    private sealed class View
    {
        public bool IsReached { get; set; }

        /// <summary>The last answer; its groups are those that had changed.</summary>
        public SiloFacts Facts { get; private set; } = new();

        public Dictionary<int, GroupFact[]> Groups { get; } = [];

        public bool Has(PeerKey key) => Of(key) is not null;

        public GroupFact? Of(PeerKey key) =>
            Groups.TryGetValue(key.Group, out GroupFact[]? facts) ? Array.Find(facts, fact => fact.PeerId == key.Peer.Value) : null;

        /// <returns>The groups of which it says anything.</returns>
        public IReadOnlyCollection<int> Take(SiloFacts facts)
        {
            if (!facts.Partial)
                Groups.Clear();
            foreach (int emptied in facts.Emptied)
                Groups.Remove(emptied);
            foreach (IGrouping<int, GroupFact> group in facts.Groups.GroupBy(fact => fact.Group))
                Groups[group.Key] = [.. group];
            Facts = facts;
            return [.. facts.Emptied, .. facts.Groups.Select(fact => fact.Group).Distinct()];
        }
    }
}
