using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>
/// The first state of each group (rule 1): every peer of one begins with the same snapshot, which lists each peer id with
/// the random id of its storage.
/// </summary>
internal static class GroupBootstrap
{
    /// <summary>Nobody has led a group that is still in it.</summary>
    public static readonly Term FirstTerm = new(1);

    /// <summary>All peers of all groups in one silo.</summary>
    /// <param name="count">Of each group.</param>
    /// <param name="restore">What the groups are made of; null: of nothing.</param>
    public static (Guid ClusterId, IReadOnlyList<NewPeer> Peers) Create(
        int groups, int count, string siloId, StateSettings settings, DateTimeOffset now, ClusterRestore? restore = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return Create(groups, _ => [.. Enumerable.Range(0, count).Select(_ => (siloId, RandomId()))], settings, now, restore);
    }

    /// <summary>A peer of each group in each silo.</summary>
    /// <param name="silos">With what each has told of its storage: the peers there have ids that are made of it.</param>
    public static (Guid ClusterId, IReadOnlyList<NewPeer> Peers) Create(
        int groups, IReadOnlyList<(string Silo, Guid StorageId)> silos, StateSettings settings, DateTimeOffset now,
        ClusterRestore? restore = null) => Create(groups, group => PlacesOf(silos, group), settings, now, restore);

    /// <summary>A group's peer 1, 2 and so on, one in each silo.</summary>
    public static (string Silo, Guid StorageId)[] PlacesOf(IReadOnlyList<(string Silo, Guid StorageId)> silos, int group) =>
        [.. silos.Select(silo => (silo.Silo, StorageIdOf(silo.StorageId, group)))];

    /// <summary>
    /// Of a silo's first peer in a group. As random as what it is made of: an emptied database has other ones in all groups.
    /// </summary>
    public static Guid StorageIdOf(Guid silo, int group)
    {
        if (group == 0)
            return silo;
        Span<byte> made = stackalloc byte[20];
        silo.TryWriteBytes(made);
        BinaryPrimitives.WriteInt32LittleEndian(made[16..], group);
        return new Guid(SHA256.HashData(made).AsSpan(0, 16));
    }

    /// <param name="places">Of peers 1, 2 and so on.</param>
    /// <param name="index">Of the first state.</param>
    /// <param name="make">The first state.</param>
    public static NewPeer[] PeersOf(
        Guid clusterId, int group, IReadOnlyList<(string Silo, Guid StorageId)> places, long index,
        Func<GroupMembership, CoordinationState> make)
    {
        PeerRecord[] records = [.. places.Select((place, i) =>
            new PeerRecord(new PeerId(i + 1), place.StorageId, place.Silo))];
        var membership = new GroupMembership
        {
            ClusterId = clusterId,
            Group = group,
            ConfState = new ConfState { Voters = [.. records.Select(record => record.Id)] },
            Peers = records,
            NextPeerId = new PeerId(records.Length + 1),
        };
        var snapshot = new ArrayBufferWriter<byte>();
        make(membership).WriteSnapshot(snapshot);
        return [.. records.Select(record => new NewPeer(
            new PeerKey(group, record.Id), record.StorageId, new HardState(FirstTerm, PeerId.None, index), index,
            FirstTerm, snapshot.WrittenMemory))];
    }

    /// <summary>Whether this is how the group began, and nobody has led it since.</summary>
    public static bool IsUntouched(Term term, long lastIndex, long snapshotIndex) =>
        term == FirstTerm && lastIndex == snapshotIndex;

    /// <summary>What the silos of a cluster tell each other of it.</summary>
    /// <param name="peers">Of all groups, in the order of groups.</param>
    public static ClusterBootstrap ToWire(Guid clusterId, IReadOnlyList<NewPeer> peers)
    {
        NewPeer[] first = [.. peers.DistinctBy(peer => peer.Key.Group)];
        var bootstrap = new ClusterBootstrap
        {
            ClusterId = ByteString.CopyFrom(clusterId.ToByteArray()),
            Index = first[0].SnapshotIndex,
            Term = first[0].SnapshotTerm.Value,
            Snapshot = ByteString.CopyFrom(first[0].SnapshotData.Span),
        };
        bootstrap.Further.Add(first.Skip(1).Select(peer => ByteString.CopyFrom(peer.SnapshotData.Span)));
        return bootstrap;
    }

    public static int GroupsOf(ClusterBootstrap bootstrap) =>
        bootstrap.Restore is { } restore ? restore.Files.Count : bootstrap.Further.Count + 1;

    /// <summary>Whether the silo has a part in it, made for this database and no other one.</summary>
    public static bool Lists(ClusterBootstrap bootstrap, StoredSilo silo) => bootstrap.Restore is not null
        ? RestoredBootstrap.Lists(bootstrap, silo)
        : PeersOf(bootstrap, silo.SiloId) is { Count: > 0 } peers
            && peers.All(peer => peer.StorageId == StorageIdOf(silo.StorageId, peer.Key.Group));

    /// <summary>The silo's part in a group, over the storage id that it was founded with; null: it has none.</summary>
    /// <remarks>Of a cluster that was restored <see cref="RestoredBootstrap"/> makes it.</remarks>
    public static NewPeer? PeerOf(ClusterBootstrap bootstrap, int group, string silo)
    {
        Term term = new(bootstrap.Term);
        ByteString snapshot = group == 0 ? bootstrap.Snapshot : bootstrap.Further[group - 1];
        return CoordinationState.ReadMembership(snapshot.Memory).Peers.Where(peer => peer.Silo == silo)
            .Select(peer => new NewPeer(
                new PeerKey(group, peer.Id), peer.StorageId, new HardState(term, PeerId.None, bootstrap.Index), bootstrap.Index,
                term, snapshot.Memory))
            .FirstOrDefault();
    }

    /// <summary>The silo's part in all groups; empty: it has none.</summary>
    public static IReadOnlyList<NewPeer> PeersOf(ClusterBootstrap bootstrap, string silo) =>
        [.. Enumerable.Range(0, GroupsOf(bootstrap)).Select(group => PeerOf(bootstrap, group, silo)).OfType<NewPeer>()];

    /// <summary>Which peers a silo has in the beginning, whatever has become of its database; empty: none.</summary>
    public static IReadOnlyList<PeerKey> FirstPeersOf(ClusterBootstrap bootstrap, string silo) => bootstrap.Restore is null
        ? [.. PeersOf(bootstrap, silo).Select(peer => peer.Key)]
        : RestoredBootstrap.FirstPeersOf(bootstrap, silo);

    /// <summary>The part of a silo that is listed, a peer of each group.</summary>
    /// <param name="restore">The same as the founder's; of use where the cluster is made of it.</param>
    /// <exception cref="GroupStartException">Another state comes of it here.</exception>
    public static IReadOnlyList<NewPeer> PartOf(ClusterBootstrap bootstrap, StoredSilo silo, ClusterRestore? restore) =>
        bootstrap.Restore is null ? PeersOf(bootstrap, silo.SiloId) : RestoredBootstrap.PeersOf(bootstrap, silo, restore!);

    public static Guid RandomId() => new(RandomNumberGenerator.GetBytes(16));

    /// <summary>
    /// Log and revision begin at the time in microseconds: a database that was deleted and made anew must not give out a
    /// fencing token or a revision a second time (rule 19).
    /// </summary>
    private static long StartAt(DateTimeOffset now) => now.ToUnixTimeMilliseconds() * 1000;

    private static (Guid ClusterId, IReadOnlyList<NewPeer> Peers) Create(
        int groups, Func<int, (string Silo, Guid StorageId)[]> placesOf, StateSettings settings, DateTimeOffset now,
        ClusterRestore? restore)
    {
        Guid clusterId = RandomId();
        long index = restore?.StartAt(now) ?? StartAt(now);
        return (clusterId, [.. Enumerable.Range(0, groups).SelectMany(group => PeersOf(
            clusterId, group, placesOf(group), index,
            membership => restore?.Make(membership, index, FirstTerm) ?? Empty(settings, membership, index)))]);
    }

    private static CoordinationState Empty(StateSettings settings, GroupMembership membership, long index) =>
        CoordinationState.Create(settings, membership, index, FirstTerm, baseRevision: index);
}
