using System.Buffers.Binary;
using Google.Protobuf;

namespace Coordinator.Contracts.Framing;

/// <summary>
/// The frames that wait to be sent on one connection, and how they share messages. Small frames keep their order;
/// large ones travel as fragments beside them, a few at a time, so that each message has room for both kinds.
/// Invariant: <see cref="PendingBytes"/> is the size of all that was added and has not been written. Not thread-safe.
/// </summary>
public sealed class OutgoingFrames
{
    // Less room than this at a message's end is left empty: a fragment of a few bytes costs more than it carries.
    private const int FragmentRoomMin = 4096;

    private readonly Queue<(IMessage Frame, int Bytes)> _small = new();
    private readonly Queue<IMessage> _large = new();
    private readonly Queue<FragmentedFrame> _underWay = new();
    private long _lastFragmentId;

    /// <summary>Bytes of frames that wait, without headers.</summary>
    public long PendingBytes { get; private set; }

    public bool IsEmpty => _small.Count == 0 && _underWay.Count == 0;

    /// <param name="frame">A ClientFrame or ServerFrame; not changed by anyone until it is written.</param>
    public void Add(IMessage frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        int bytes = frame.CalculateSize();
        PendingBytes += bytes;
        if (bytes <= FrameLimits.FrameBytesMax)
        {
            _small.Enqueue((frame, bytes));
            return;
        }
        _large.Enqueue(frame);
        StartLargeFrames();
    }

    /// <summary>
    /// Fills one message of at most <see cref="Limits.MessageBytesMax"/> with as much as fits of what waits.
    /// </summary>
    /// <returns>Bytes written; 0 when nothing waits.</returns>
    public int WriteMessage(Span<byte> message)
    {
        if (message.Length < Limits.MessageBytesMax)
            throw new ArgumentException($"A message needs {Limits.MessageBytesMax} bytes.", nameof(message));
        message = message[..Limits.MessageBytesMax];
        int written = 0;
        if (_underWay.Count > 0)
            written += WriteFragment(message);
        while (_small.TryPeek(out var next) && message.Length - written >= FrameLimits.HeaderBytes + next.Bytes)
        {
            _small.Dequeue();
            written += WriteFrame(next.Frame, next.Bytes, message[written..]);
            PendingBytes -= next.Bytes;
        }
        while (_small.Count == 0 && _underWay.Count > 0 && message.Length - written >= FragmentRoomMin)
            written += WriteFragment(message[written..]);
        return written;
    }

    /// <summary>Writes the next piece of the large frame whose turn it is.</summary>
    private int WriteFragment(Span<byte> room)
    {
        FragmentedFrame large = _underWay.Dequeue();
        int overhead = FrameLimits.FrameBytesMax - FrameLimits.FragmentDataBytesMax + FrameLimits.HeaderBytes;
        int count = Math.Min(large.Remaining, Math.Min(FrameLimits.FragmentDataBytesMax, room.Length - overhead));
        Fragment piece = large.Take(count);
        PendingBytes -= count;
        if (piece.Last)
            StartLargeFrames();
        else
            _underWay.Enqueue(large);
        // ClientFrame and ServerFrame have their fragment in the same field: the bytes are the same for both.
        ClientFrame frame = new() { Fragment = piece };
        return WriteFrame(frame, frame.CalculateSize(), room);
    }

    private static int WriteFrame(IMessage frame, int bytes, Span<byte> room)
    {
        BinaryPrimitives.WriteInt32LittleEndian(room, bytes);
        frame.WriteTo(room.Slice(FrameLimits.HeaderBytes, bytes));
        return FrameLimits.HeaderBytes + bytes;
    }

    // The receiver's memory for frames under way is bounded, so no more than a few are started at a time.
    private void StartLargeFrames()
    {
        while (_underWay.Count < FrameLimits.InterleavedFramesMax && _large.TryDequeue(out IMessage? frame))
            _underWay.Enqueue(new FragmentedFrame(++_lastFragmentId, frame.ToByteArray()));
    }

    private sealed class FragmentedFrame(long id, byte[] bytes)
    {
        private int _sent;

        public int Remaining => bytes.Length - _sent;

        public Fragment Take(int count)
        {
            // The array is never written again, so the piece may share it.
            ByteString data = UnsafeByteOperations.UnsafeWrap(bytes.AsMemory(_sent, count));
            _sent += count;
            return new Fragment { Id = id, Last = Remaining == 0, Data = data };
        }
    }
}
