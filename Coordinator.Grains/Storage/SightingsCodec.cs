using System.Buffers.Binary;
using Coordinator.Raft;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>
/// A peer's sightings as bytes of its row: for each peer its id, storage id, epoch and write_seq, and the checksum of all of
/// it at the end. Invariant: what is read was written for this peer, whole.
/// </summary>
internal static class SightingsCodec
{
    private const int IdBytes = 16;
    private const int SightingBytes = (3 * sizeof(long)) + IdBytes;

    public static byte[] Encode(PeerKey key, IReadOnlyList<PeerSighting> sightings)
    {
        byte[] bytes = new byte[(sightings.Count * SightingBytes) + sizeof(int)];
        Span<byte> rest = bytes;
        foreach ((PeerId peer, StorageMark mark) in sightings)
        {
            BinaryPrimitives.WriteInt64BigEndian(rest, peer.Value);
            mark.StorageId.TryWriteBytes(rest[sizeof(long)..], bigEndian: true, out _);
            BinaryPrimitives.WriteInt64BigEndian(rest[(sizeof(long) + IdBytes)..], mark.Epoch);
            BinaryPrimitives.WriteInt64BigEndian(rest[((2 * sizeof(long)) + IdBytes)..], mark.WriteSeq);
            rest = rest[SightingBytes..];
        }

        BinaryPrimitives.WriteInt32BigEndian(rest, RowChecksums.Sightings(key, bytes.AsSpan(..^sizeof(int))));
        return bytes;
    }

    /// <exception cref="CorruptRowException">They are not as they were written.</exception>
    public static IReadOnlyList<PeerSighting> Decode(PeerKey key, ReadOnlySpan<byte> bytes)
    {
        // Of a row that was never written to.
        if (bytes.IsEmpty)
        {
            return [];
        }

        int length = bytes.Length - sizeof(int);
        if (length < 0 || length % SightingBytes != 0
            || BinaryPrimitives.ReadInt32BigEndian(bytes[length..]) != RowChecksums.Sightings(key, bytes[..length]))
        {
            throw new CorruptRowException($"table peer, peer {key}: checksum of sightings");
        }

        var sightings = new PeerSighting[length / SightingBytes];
        for (int i = 0; i < sightings.Length; i++)
        {
            ReadOnlySpan<byte> one = bytes[(i * SightingBytes)..];
            sightings[i] = new PeerSighting(
                new PeerId(BinaryPrimitives.ReadInt64BigEndian(one)),
                new StorageMark(
                    new Guid(one.Slice(sizeof(long), IdBytes), bigEndian: true),
                    BinaryPrimitives.ReadInt64BigEndian(one[(sizeof(long) + IdBytes)..]),
                    BinaryPrimitives.ReadInt64BigEndian(one[((2 * sizeof(long)) + IdBytes)..])));
        }

        return sightings;
    }
}
