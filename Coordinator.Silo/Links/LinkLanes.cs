using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Silo.Links;

/// <summary>
/// What waits on one link, and how it shares messages. Small frames go first and in order; appends, bulky requests and
/// snapshots each have a lane, and take turns for half a message; so neither a heartbeat nor a snapshot ever waits for
/// all of what another kind has. Not thread-safe.
/// </summary>
internal sealed class LinkLanes
{
    private const int Lanes = 3;

    private readonly Queue<(LinkFrame Frame, int Bytes)> _small = new();
    private readonly FrameLane _appends = new(0, 2);
    private readonly FrameLane _bulky = new(1, 2);
    private readonly SnapshotLane _snapshots = new();
    private int _turn;

    /// <summary>Told of each frame that has been written to its end, with its size.</summary>
    public required Action<LinkFrame, int> FrameWritten { get; init; }

    public required Action<Envelope> SnapshotWritten { get; init; }

    public bool IsEmpty => _small.Count == 0 && _appends.IsEmpty && _bulky.IsEmpty && _snapshots.IsEmpty;

    public IReadOnlyList<Envelope> Snapshots => _snapshots.Waiting;

    public void Add(LinkFrame frame, int bytes)
    {
        if (frame.Envelope is { Message: { } message } && message.Type == (int)Raft.MessageType.App)
            _appends.Add(frame, bytes);
        else if (bytes > LinkLimits.SmallFrameBytesMax)
            _bulky.Add(frame, bytes);
        else
            _small.Enqueue((frame, bytes));
    }

    /// <returns>Null, or the snapshot that is not going to be sent.</returns>
    public Envelope? Add(Envelope snapshot) => _snapshots.Add(snapshot);

    /// <summary>Fills one message with as much as fits of what waits.</summary>
    /// <returns>Bytes written; 0 when nothing waits.</returns>
    public int WriteMessage(Span<byte> message)
    {
        int written = WriteBulk(message[..LinkLimits.BulkShareBytes]);
        while (_small.TryPeek(out (LinkFrame Frame, int Bytes) next))
        {
            int count = FrameLane.WriteFrame(next.Frame, next.Bytes, message[written..]);
            if (count == 0)
                return written;
            written += count;
            _small.Dequeue();
            FrameWritten(next.Frame, next.Bytes);
        }
        return written + WriteBulk(message[written..]);
    }

    /// <summary>Whose turn it is takes the room; what it leaves is the next one's.</summary>
    private int WriteBulk(Span<byte> room)
    {
        int written = 0;
        for (int i = 0; i < Lanes; i++)
        {
            written += ((_turn + i) % Lanes) switch
            {
                0 => _appends.Write(room[written..], FrameWritten),
                1 => _bulky.Write(room[written..], FrameWritten),
                _ => _snapshots.Write(room[written..], SnapshotWritten),
            };
        }
        _turn = (_turn + 1) % Lanes;
        return written;
    }
}
