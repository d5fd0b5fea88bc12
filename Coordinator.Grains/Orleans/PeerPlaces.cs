using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Where the peers of each group are stored: each in a place of its own, which is its database's name, or "peer 2" where all
/// share one. Invariant: peer ids follow the order of the places, in every group and on every silo alike.
/// </summary>
internal sealed class PeerPlaces
{
    /// <summary>The grain type of peers; in the directory for as long as there is one.</summary>
    public const string GrainTypeName = "coordinator.peer";

    private readonly Dictionary<string, PeerId> _peers;

    public PeerPlaces(OrleansGroupOptions options)
    {
        IsShared = options.Databases.Count == 0;
        Names = IsShared
            ? [.. Enumerable.Range(1, options.Peers).Select(number => $"peer {number}")]
            : [.. options.Databases.Keys.Order(StringComparer.Ordinal)];
        Peers = [.. Enumerable.Range(1, Names.Count).Select(number => new PeerId(number))];
        _peers = Names.Zip(Peers).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        Keys = [.. Enumerable.Range(0, options.Groups).SelectMany(group => Peers.Select(peer => new PeerKey(group, peer)))];
    }

    /// <summary>Whether all peers are in one database.</summary>
    public bool IsShared { get; }

    public IReadOnlyList<string> Names { get; }

    public IReadOnlyList<PeerId> Peers { get; }

    /// <summary>The peers of all groups.</summary>
    public IReadOnlyList<PeerKey> Keys { get; }

    public string NameOf(PeerId peer) => Names[(int)peer.Value - 1];

    public PeerId PeerAt(string name) => _peers[name];

    public bool Contains(PeerId peer) => peer.Value >= 1 && peer.Value <= Names.Count;

    public static string KeyOf(int group, PeerId peer) => $"{group}/{peer.Value}";

    public static GrainId GrainOf(int group, PeerId peer) => GrainId.Create(GrainTypeName, KeyOf(group, peer));

    /// <summary>Null: it is no peer's.</summary>
    public static PeerKey? ParseKey(string key) =>
        key.Split('/') is [var group, var peer] && int.TryParse(group, out int groupId) && long.TryParse(peer, out long peerId)
            ? new PeerKey(groupId, new PeerId(peerId))
            : null;
}
