using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>
/// Snapshots that wait to be sent, one after another: an announcement with all but the data, and the data in chunks. The
/// data is the replica's own memory, never copied as a whole. Not thread-safe.
/// </summary>
internal sealed class SnapshotLane
{
    private readonly List<Envelope> _waiting = [];
    private long _id;
    private long _sent;
    private bool _announced;

    public bool IsEmpty => _waiting.Count == 0;

    public IReadOnlyList<Envelope> Waiting => _waiting;

    /// <summary>
    /// Adds a snapshot, unless one of the same term is on its way to the same peer already: it will do. One of an earlier
    /// term would be refused there, so it is given up.
    /// </summary>
    /// <returns>What is not going to be sent: null, or the added one or the one that it replaces.</returns>
    public Envelope? Add(Envelope snapshot)
    {
        int same = _waiting.FindIndex(other => other.Group == snapshot.Group && other.To == snapshot.To);
        if (same < 0)
        {
            _waiting.Add(snapshot);
            return null;
        }
        Envelope earlier = _waiting[same];
        if (earlier.Message.Term >= snapshot.Message.Term && earlier.From == snapshot.From && earlier.Epoch == snapshot.Epoch)
            return snapshot;
        _waiting[same] = snapshot;
        if (same == 0)
            _announced = false;
        return earlier;
    }

    /// <summary>Fills <paramref name="room"/> with as much as fits.</summary>
    /// <param name="finished">Told of each snapshot that has been written to its end.</param>
    public int Write(Span<byte> room, Action<Envelope> finished)
    {
        int written = 0;
        while (_waiting.Count > 0)
        {
            Envelope snapshot = _waiting[0];
            ReadOnlyMemory<byte> data = snapshot.Message.Snapshot!.Data;
            int count = _announced ? WriteChunk(data, room[written..]) : Announce(snapshot, data.Length, room[written..]);
            if (count == 0)
                break;
            written += count;
            if (_sent < data.Length)
                continue;
            _waiting.RemoveAt(0);
            _announced = false;
            finished(snapshot);
        }
        return written;
    }

    private int Announce(Envelope snapshot, int bytes, Span<byte> room)
    {
        LinkFrame frame = new()
        {
            SnapshotBegin = new SnapshotBegin
            {
                Id = _id + 1,
                Bytes = bytes,
                Envelope = EnvelopeCodec.ToWire(snapshot, withSnapshotData: false),
            },
        };
        int written = FrameLane.WriteFrame(frame, frame.CalculateSize(), room);
        if (written == 0)
            return 0;
        _id++;
        _sent = 0;
        _announced = true;
        return written;
    }

    private int WriteChunk(ReadOnlyMemory<byte> data, Span<byte> room)
    {
        int count = FrameLane.PieceBytes(data.Length - _sent, room.Length);
        if (count <= 0)
            return 0;
        LinkFrame chunk = new()
        {
            SnapshotChunk = new SnapshotChunk
            {
                Id = _id,
                Data = UnsafeByteOperations.UnsafeWrap(data.Slice((int)_sent, count)),
            },
        };
        _sent += count;
        return FrameLane.WriteFrame(chunk, chunk.CalculateSize(), room);
    }
}
