using System.Buffers.Binary;
using Google.Protobuf;

namespace Coordinator.Contracts.Framing;

/// <summary>
/// The frames that wait to be sent on one connection, and how they share messages. Small frames keep their order;
/// large ones travel as fragments beside them, a few at a time, so that each message has room for both kinds. Bulk frames
/// keep their order too, large or small, and give way to the small ones.
/// Invariant: <see cref="PendingBytes"/> is the size of all that was added and has not been written. Not thread-safe.
/// </summary>
public sealed class OutgoingFrames
{
    // Less room than this at a message's end is left empty: a fragment of a few bytes costs more than it carries.
    private const int FragmentRoomMin = 4096;

    private readonly Queue<(IMessage Frame, int Bytes)> _small = new();
    private readonly Queue<IMessage> _large = new();
    private readonly Queue<FragmentedFrame> _underWay = new();
    private readonly Queue<(IMessage Frame, int Bytes)> _bulk = new();
    private FragmentedFrame? _bulkUnderWay;
    private bool _bulkIsNext;
    private long _lastFragmentId;

    /// <summary>Bytes of frames that wait, without headers.</summary>
    public long PendingBytes { get; private set; }

    public bool IsEmpty => _small.Count == 0 && _underWay.Count == 0 && !BulkWaits;

    private bool BulkWaits => _bulk.Count > 0 || _bulkUnderWay is not null;

    // A large bulk frame goes as fragments too, one at a time; when it is its turn, the next place is its.
    private bool BulkTakesPlace =>
        _bulkUnderWay is not null || (_bulk.TryPeek(out var next) && next.Bytes > FrameLimits.FrameBytesMax);

    /// <param name="frame">A ClientFrame or ServerFrame; not changed by anyone until it is written.</param>
    public void Add(IMessage frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        Add(frame, frame.CalculateSize());
    }

    /// <param name="bytes">The frame's size, when the caller has computed it already.</param>
    public void Add(IMessage frame, int bytes)
    {
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
    /// Adds a frame that no other waits for, but those added with this after it: they arrive in the order of this.
    /// </summary>
    public void AddBulk(IMessage frame, int bytes)
    {
        PendingBytes += bytes;
        _bulk.Enqueue((frame, bytes));
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
        int written = WriteTurn(message);
        while (_small.TryPeek(out var next) && message.Length - written >= FrameLimits.HeaderBytes + next.Bytes)
        {
            _small.Dequeue();
            written += WriteFrame(next.Frame, next.Bytes, message[written..]);
            PendingBytes -= next.Bytes;
        }
        while (_small.Count == 0 && _underWay.Count > 0 && message.Length - written >= FragmentRoomMin)
            written += WriteFragment(message[written..]);
        return _small.Count == 0 ? written + WriteBulk(message[written..]) : written;
    }

    /// <summary>Half a message at most: a fragment, or bulk, by turns where both wait.</summary>
    private int WriteTurn(Span<byte> message)
    {
        Span<byte> half = message[..Limits.FragmentBytesMax];
        int bulk = BulkWaits && (_bulkIsNext || _underWay.Count == 0) ? WriteBulk(half) : 0;
        _bulkIsNext = bulk == 0;
        return bulk == 0 && _underWay.Count > 0 ? WriteFragment(half) : bulk;
    }

    /// <summary>Writes bulk frames, and pieces of the one whose turn it is, as long as they fit.</summary>
    private int WriteBulk(Span<byte> room)
    {
        int written = 0;
        while (WriteNextBulk(room[written..]) is > 0 and int more)
            written += more;
        return written;
    }

    private int WriteNextBulk(Span<byte> room)
    {
        if (_bulkUnderWay is null && !BulkTakesPlace)
        {
            if (!_bulk.TryPeek(out var next) || room.Length < FrameLimits.HeaderBytes + next.Bytes)
                return 0;
            _bulk.Dequeue();
            PendingBytes -= next.Bytes;
            return WriteFrame(next.Frame, next.Bytes, room);
        }
        if (room.Length < FragmentRoomMin || (_bulkUnderWay is null && _underWay.Count == FrameLimits.InterleavedFramesMax))
            return 0;
        _bulkUnderWay ??= new FragmentedFrame(++_lastFragmentId, _bulk.Dequeue().Frame.ToByteArray());
        int piece = WritePiece(_bulkUnderWay, room);
        if (_bulkUnderWay.Remaining == 0)
        {
            _bulkUnderWay = null;
            StartLargeFrames();
        }
        return piece;
    }

    /// <summary>Writes the next piece of the large frame whose turn it is.</summary>
    private int WriteFragment(Span<byte> room)
    {
        FragmentedFrame large = _underWay.Dequeue();
        int written = WritePiece(large, room);
        if (large.Remaining == 0)
            StartLargeFrames();
        else
            _underWay.Enqueue(large);
        return written;
    }

    private int WritePiece(FragmentedFrame large, Span<byte> room)
    {
        int overhead = FrameLimits.FrameBytesMax - FrameLimits.FragmentDataBytesMax + FrameLimits.HeaderBytes;
        int count = Math.Min(large.Remaining, Math.Min(FrameLimits.FragmentDataBytesMax, room.Length - overhead));
        Fragment piece = large.Take(count);
        PendingBytes -= count;
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
        int placesMax = FrameLimits.InterleavedFramesMax - (BulkTakesPlace ? 1 : 0);
        while (_underWay.Count < placesMax && _large.TryDequeue(out IMessage? frame))
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
