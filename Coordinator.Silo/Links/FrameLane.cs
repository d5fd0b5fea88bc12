using System.Buffers.Binary;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>
/// Frames of one kind that wait, in order: a bulky one goes in pieces, and whatever is behind it waits for its last.
/// Else a follower would be handed appends in another order than they were made in, and would refuse them. Not thread-safe.
/// </summary>
internal sealed class FrameLane
{
    private readonly Queue<(LinkFrame Frame, int Bytes)> _waiting = new();
    private readonly int _lane;
    private readonly int _lanes;
    private long _bulky;
    private byte[]? _underWay;
    private int _sent;

    /// <param name="lane">Among <paramref name="lanes"/>: no two use the same ids for their pieces.</param>
    public FrameLane(int lane, int lanes)
    {
        _lane = lane;
        _lanes = lanes;
    }

    public bool IsEmpty => _waiting.Count == 0;

    public void Add(LinkFrame frame, int bytes) => _waiting.Enqueue((frame, bytes));

    /// <summary>Fills <paramref name="room"/> with as much as fits, whole small frames and pieces of bulky ones.</summary>
    /// <param name="finished">Told of each frame that has been written to its end, with its size.</param>
    public int Write(Span<byte> room, Action<LinkFrame, int> finished)
    {
        int written = 0;
        while (_waiting.TryPeek(out (LinkFrame Frame, int Bytes) next))
        {
            Span<byte> left = room[written..];
            int count = next.Bytes > LinkLimits.SmallFrameBytesMax
                ? WritePiece(next.Frame, left)
                : WriteFrame(next.Frame, next.Bytes, left);
            if (count == 0)
                break;
            written += count;
            if (_underWay is not null)
                continue;
            _waiting.Dequeue();
            finished(next.Frame, next.Bytes);
        }
        return written;
    }

    /// <returns>Bytes written; 0 when it does not fit.</returns>
    public static int WriteFrame(LinkFrame frame, int bytes, Span<byte> room)
    {
        int whole = FrameLimits.HeaderBytes + bytes;
        if (room.Length < whole)
            return 0;
        BinaryPrimitives.WriteInt32LittleEndian(room, bytes);
        frame.WriteTo(room.Slice(FrameLimits.HeaderBytes, bytes));
        return whole;
    }

    /// <summary>How much of <paramref name="remaining"/> goes into a piece; 0: wait for a message with more room.</summary>
    public static int PieceBytes(long remaining, int room)
    {
        int fits = Math.Min(room, LinkLimits.BulkShareBytes) - LinkLimits.PieceOverheadBytes;
        if (fits >= remaining)
            return (int)remaining;
        return room < LinkLimits.PieceRoomMin ? 0 : fits;
    }

    private int WritePiece(LinkFrame bulky, Span<byte> room)
    {
        if (_underWay is null)
        {
            _underWay = bulky.ToByteArray();
            _sent = 0;
            _bulky++;
        }
        int count = PieceBytes(_underWay.Length - _sent, room.Length);
        if (count <= 0)
            return 0;
        bool last = _sent + count == _underWay.Length;
        LinkFrame piece = new()
        {
            Fragment = new Fragment
            {
                Id = (_bulky * _lanes) + _lane,
                Last = last,
                Data = UnsafeByteOperations.UnsafeWrap(_underWay.AsMemory(_sent, count)),
            },
        };
        _sent += count;
        if (last)
            _underWay = null;
        return WriteFrame(piece, piece.CalculateSize(), room);
    }
}
