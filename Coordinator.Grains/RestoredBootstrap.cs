using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>
/// The founding of a cluster that is made of snapshot files. The founder alone decides what could differ: cluster, storage
/// ids, where log and revision begin, for how long nothing is granted. Invariant: what a silo makes of its own files is byte
/// for byte what the founder has made of its own, or it makes nothing (rule 9).
/// </summary>
internal static class RestoredBootstrap
{
    public static RestoreOrder? OrderOf(ClusterRestore? restore)
    {
        if (restore is null)
            return null;
        var order = new RestoreOrder { Floor = restore.Floor, HoldBackUs = restore.HoldBackUs };
        order.Files.Add(restore.Files.Select(file => ByteString.CopyFrom(file.Sha256.Span)));
        return order;
    }

    /// <summary>The founder's decision, made once.</summary>
    /// <param name="silos">With what each has told of its storage.</param>
    public static ClusterBootstrap Create(
        ClusterRestore restore, IReadOnlyList<(string Silo, Guid StorageId)> silos, DateTimeOffset now)
    {
        var bootstrap = new ClusterBootstrap
        {
            ClusterId = ByteString.CopyFrom(GroupBootstrap.RandomId().ToByteArray()),
            Index = restore.StartAt(now),
            Term = GroupBootstrap.FirstTerm.Value,
            Restore = OrderOf(restore),
        };
        bootstrap.Silos.Add(silos.Select(silo => new FoundingSilo
        {
            Silo = silo.Silo,
            StorageId = ByteString.CopyFrom(silo.StorageId.ToByteArray()),
        }));
        bootstrap.States.Add(restore.Files.Select(file => HashOf(PeersOf(bootstrap, file.Header.Group, restore)[0])));
        return bootstrap;
    }

    /// <summary>Whether the silo has a part in it that is for this database, and no other one.</summary>
    public static bool Lists(ClusterBootstrap bootstrap, StoredSilo silo) => SilosOf(bootstrap).Contains((silo.SiloId, silo.StorageId));

    /// <summary>In the order of their groups; empty: it has none.</summary>
    public static IReadOnlyList<PeerKey> FirstPeersOf(ClusterBootstrap bootstrap, string silo) =>
        SilosOf(bootstrap).Select(one => one.Silo).ToList().IndexOf(silo) is int place and >= 0
            ? [.. Enumerable.Range(0, bootstrap.States.Count).Select(group => new PeerKey(group, new PeerId(place + 1)))]
            : [];

    /// <summary>The part of a silo that is listed: a peer of each group.</summary>
    /// <param name="restore">The same as the founder's.</param>
    /// <exception cref="GroupStartException">Another state comes of it here.</exception>
    public static IReadOnlyList<NewPeer> PeersOf(ClusterBootstrap bootstrap, StoredSilo silo, ClusterRestore restore) =>
        [.. bootstrap.States.Select((state, group) =>
        {
            NewPeer own = PeersOf(bootstrap, group, restore)
                .Single(peer => peer.StorageId == GroupBootstrap.StorageIdOf(silo.StorageId, group));
            return HashOf(own).Equals(state)
                ? own
                : throw new GroupStartException(
                    $"This program makes another first state of group {group}'s snapshot file than the cluster's founder has: "
                    + "it would differ from the others. Start the same version of the program on all silos.");
        })];

    private static NewPeer[] PeersOf(ClusterBootstrap bootstrap, int group, ClusterRestore restore) => GroupBootstrap.PeersOf(
        new Guid(bootstrap.ClusterId.Span), group, GroupBootstrap.PlacesOf(SilosOf(bootstrap), group), bootstrap.Index,
        membership => restore.Make(membership, bootstrap.Index, GroupBootstrap.FirstTerm));

    private static (string Silo, Guid StorageId)[] SilosOf(ClusterBootstrap bootstrap) =>
        [.. bootstrap.Silos.Select(silo => (silo.Silo, new Guid(silo.StorageId.Span)))];

    private static ByteString HashOf(NewPeer peer) => ByteString.CopyFrom(SHA256.HashData(peer.SnapshotData.Span));
}
