using System.Text;
using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>How both storages' answers and contents are written down, to be compared and read.</summary>
internal static class StorageWords
{
    public static string Of(LoadedPeer peer) =>
        $"activated: {Row(peer.Key, peer.Epoch, peer.WriteSeq, peer.HardState, peer.Snapshot.Pointer)}, "
        + $"data {Text(peer.Snapshot.Data)}, log [{string.Join(' ', peer.Entries.Select(Of))}]";

    public static string Of(PeerWrite write) =>
        $"write {write.Epoch}.{write.WriteSeq} of {write.Key}: {Of(write.HardState)}"
        + $"{(write.Entries.Count > 0 ? $" [{string.Join(' ', write.Entries.Select(Of))}]" : "")}"
        + $"{(write.Snapshot is { } pointer ? $", {Of(pointer)}" : "")}"
        + $"{(write.ReplaceLog ? ", log replaced" : "")}"
        + $"{(write.CompactThrough > 0 ? $", compacted through {write.CompactThrough}" : "")}";

    public static string Row(PeerKey key, long epoch, long writeSeq, HardState state, SnapshotPointer pointer) =>
        $"peer {key.Peer}: {epoch}.{writeSeq}, {Of(state)}, {Of(pointer)}";

    public static string Stored(PeerKey key, Entry entry) => $"peer {key.Peer}: entry {Of(entry)}";

    public static string Chunk(PeerKey key, long epoch, long id, ReadOnlyMemory<byte> data) =>
        $"peer {key.Peer}: chunk {epoch}.{id} {Text(data)}";

    private static string Of(Entry entry) =>
        $"{entry.Index}:{entry.Term}:{Text(entry.Data)}@{entry.Stamp}";

    private static string Of(HardState state) => $"{state.Term}/{state.Vote}/{state.Commit}";

    private static string Of(SnapshotPointer pointer) =>
        $"snapshot {pointer.Epoch}.{pointer.Id} at {pointer.Index}:{pointer.Term}, {pointer.Bytes} bytes";

    private static string Text(ReadOnlyMemory<byte> data) => Encoding.UTF8.GetString(data.Span);
}
