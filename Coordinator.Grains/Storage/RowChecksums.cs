using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Which fields each checksum covers. A peer's row has four, one for each group of columns that a write sets
/// together, so that a writer never needs to know the columns that it leaves alone.
/// </summary>
internal static class RowChecksums
{
    public static int Cluster(Guid clusterId, int groups) =>
        new RowChecksum(RowKind.Cluster).Add(clusterId).Add(groups).Value;

    public static int Identity(PeerKey key, Guid storageId) => Of(RowKind.PeerIdentity, key).Add(storageId).Value;

    public static int State(PeerKey key, long writeSeq, HardState state) =>
        Of(RowKind.PeerState, key)
            .Add(writeSeq).Add(state.Term.Value).Add(state.Vote.Value).Add(state.Commit).Value;

    public static int Snapshot(PeerKey key, SnapshotPointer pointer) =>
        Of(RowKind.PeerSnapshot, key)
            .Add(pointer.Epoch).Add(pointer.Id).Add(pointer.Index).Add(pointer.Term.Value)
            .Add(pointer.Chunks).Add(pointer.Bytes).Value;

    public static int Log(PeerKey key, long lastIndex) => Of(RowKind.PeerLog, key).Add(lastIndex).Value;

    public static int Entry(PeerKey key, in Entry entry) =>
        Of(RowKind.Log, key)
            .Add(entry.Index).Add(entry.Term.Value).Add((long)entry.Type).Add(entry.Stamp).Add(entry.Data.Span).Value;

    public static int Chunk(PeerKey key, long epoch, long snapshotId, int chunk, ReadOnlySpan<byte> data) =>
        Of(RowKind.SnapshotChunk, key).Add(epoch).Add(snapshotId).Add(chunk).Add(data).Value;

    /// <summary>Rows from before there was a peer to replace are as they were.</summary>
    public static int Addition(PeerAddition addition)
    {
        RowChecksum checksum = Of(RowKind.PeerAddition, addition.Key)
            .Add(addition.StorageId).Add(addition.Nonce).Add(addition.StaysLearner ? 1 : 0);
        return addition.Replaces.IsNone ? checksum.Value : checksum.Add(addition.Replaces.Value).Value;
    }

    private static RowChecksum Of(RowKind kind, PeerKey key) =>
        new RowChecksum(kind).Add(key.Group).Add(key.Peer.Value);
}
