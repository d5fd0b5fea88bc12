using System.Buffers;
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
/// The first state of a group (rule 1): every peer begins with the same snapshot, which lists each peer id with the
/// random id of its storage.
/// </summary>
internal static class GroupBootstrap
{
    private static readonly Term FirstTerm = new(1);

    /// <summary>All peers in one silo.</summary>
    /// <param name="restore">What the group is made of; null: of nothing.</param>
    public static (Guid ClusterId, IReadOnlyList<NewPeer> Peers) Create(
        int group, int count, string siloId, StateSettings settings, DateTimeOffset now, GroupRestore? restore = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return Create(
            group, [.. Enumerable.Range(0, count).Select(_ => (siloId, new Guid(RandomNumberGenerator.GetBytes(16))))],
            settings, now, restore);
    }

    /// <param name="places">Of peers 1, 2 and so on.</param>
    /// <param name="now">
    /// Where log and revision begin, in microseconds of Unix time: a database that was deleted and made anew must not
    /// give out a fencing token or a revision a second time (rule 19).
    /// </param>
    public static (Guid ClusterId, IReadOnlyList<NewPeer> Peers) Create(
        int group, IReadOnlyList<(string Silo, Guid StorageId)> places, StateSettings settings, DateTimeOffset now,
        GroupRestore? restore = null)
    {
        var clusterId = new Guid(RandomNumberGenerator.GetBytes(16));
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
        long index = restore?.StartAt(now) ?? now.ToUnixTimeMilliseconds() * 1000;
        CoordinationState state = restore?.Make(membership, FirstTerm, now)
            ?? CoordinationState.Create(settings, membership, index, FirstTerm, baseRevision: index);
        var snapshot = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(snapshot);
        NewPeer[] peers = [.. records.Select(record => new NewPeer(
            new PeerKey(group, record.Id), record.StorageId, new HardState(FirstTerm, PeerId.None, index), index,
            FirstTerm, snapshot.WrittenMemory))];
        return (clusterId, peers);
    }

    /// <summary>What the silos of a cluster tell each other of it.</summary>
    public static ClusterBootstrap ToWire(Guid clusterId, IReadOnlyList<NewPeer> peers) => new()
    {
        ClusterId = ByteString.CopyFrom(clusterId.ToByteArray()),
        Index = peers[0].SnapshotIndex,
        Term = peers[0].SnapshotTerm.Value,
        Snapshot = ByteString.CopyFrom(peers[0].SnapshotData.Span),
    };

    /// <summary>The silo's part, over the storage id that it was founded with; null: it has none.</summary>
    public static NewPeer? PeerOf(ClusterBootstrap bootstrap, int group, string silo)
    {
        Term term = new(bootstrap.Term);
        return CoordinationState.ReadMembership(bootstrap.Snapshot.Memory).Peers.Where(peer => peer.Silo == silo)
            .Select(peer => new NewPeer(
                new PeerKey(group, peer.Id), peer.StorageId, new HardState(term, PeerId.None, bootstrap.Index), bootstrap.Index,
                term, bootstrap.Snapshot.Memory))
            .FirstOrDefault();
    }
}
