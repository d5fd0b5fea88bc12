using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Which peers there are, as far as this silo knows, and where each is stored: in a database, by its name, or as "peer 2" where
/// all share one. Thread-safe. Invariants: where a member is, its group's own list says, before anything that was found: two
/// leaders may have had the next peer made in two places; and whatever is not known here is found in the databases.
/// </summary>
internal sealed class PeerPlaces
{
    /// <summary>The grain type of peers; in the directory for as long as there is one.</summary>
    public const string GrainTypeName = "coordinator.peer";

    private readonly Lock _gate = new();
    private readonly SortedDictionary<PeerId, string>[] _known;
    private volatile IReadOnlyList<PeerKey>? _keys;

    public PeerPlaces(OrleansGroupOptions options)
    {
        IsShared = options.Databases.Count == 0;
        Databases = [.. options.Databases.Keys.Order(StringComparer.Ordinal)];
        _known = [.. Enumerable.Range(0, options.Groups).Select(_ => new SortedDictionary<PeerId, string>())];
    }

    /// <summary>Whether all peers are in one database.</summary>
    public bool IsShared { get; }

    /// <summary>By their names; empty: all peers share one that has none.</summary>
    public IReadOnlyList<string> Databases { get; }

    /// <summary>The peers of all groups.</summary>
    public IReadOnlyList<PeerKey> Keys
    {
        get
        {
            if (_keys is { } listed)
                return listed;
            lock (_gate)
            {
                return _keys = [.. Enumerable.Range(0, _known.Length).SelectMany(
                    group => _known[group].Keys.Select(peer => new PeerKey(group, peer)))];
            }
        }
    }

    /// <summary>In the order of their ids.</summary>
    public IReadOnlyList<PeerId> PeersOf(int group)
    {
        lock (_gate)
            return [.. _known[group].Keys];
    }

    /// <summary>Null: it is not known here.</summary>
    public string? Find(PeerKey key)
    {
        lock (_gate)
            return _known[key.Group].GetValueOrDefault(key.Peer);
    }

    public IReadOnlyList<PeerId> PeersAt(int group, string place)
    {
        lock (_gate)
            return [.. _known[group].Where(one => one.Value == place).Select(one => one.Key)];
    }

    /// <summary>The places of the group's peers, and those that could have one.</summary>
    public IReadOnlyList<string> PlacesOf(int group)
    {
        lock (_gate)
            return [.. Databases.Concat(_known[group].Values).Distinct(StringComparer.Ordinal)];
    }

    /// <param name="isListed">Its group says so.</param>
    /// <returns>Whether it is new here.</returns>
    public bool Learn(PeerKey key, string place, bool isListed = false)
    {
        lock (_gate)
        {
            SortedDictionary<PeerId, string> known = _known[key.Group];
            if (place.Length == 0 || (known.TryGetValue(key.Peer, out string? before) && (!isListed || before == place)))
                return false;
            known[key.Peer] = place;
            _keys = null;
            return true;
        }
    }

    /// <summary>A peer that has left its group.</summary>
    public void Forget(PeerKey key)
    {
        lock (_gate)
        {
            if (_known[key.Group].Remove(key.Peer))
                _keys = null;
        }
    }

    /// <summary>Of a peer in the database that all share.</summary>
    public static string SharedPlace(PeerId peer) => $"peer {peer}";

    public static string KeyOf(int group, PeerId peer) => $"{group}/{peer.Value}";

    public static GrainId GrainOf(int group, PeerId peer) => GrainId.Create(GrainTypeName, KeyOf(group, peer));

    /// <summary>Null: it is no peer's.</summary>
    public static PeerKey? ParseKey(string key) =>
        key.Split('/') is [var group, var peer] && int.TryParse(group, out int groupId) && long.TryParse(peer, out long peerId)
            ? new PeerKey(groupId, new PeerId(peerId))
            : null;
}
