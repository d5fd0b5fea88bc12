using System.Collections.Concurrent;
using System.Threading.Channels;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Silo.Links;

/// <summary>
/// What waits to be sent on one link. Anyone adds, and never waits; one loop sends all that waits, as much as fits in
/// each message. Invariant: no more than the options' bytes, messages and snapshots ever wait.
/// </summary>
internal sealed class LinkOutbox
{
    private readonly LinkSocket _socket;
    private readonly LinkContext _context;
    private readonly string _silo;
    private readonly LinkCounters _counters;
    private readonly Channel<LinkItem> _waiting =
        Channel.CreateUnbounded<LinkItem>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentQueue<(Envelope Snapshot, long Ping)> _unconfirmed = new();
    private readonly LinkLanes _lanes;
    private long _peerBytes;
    private int _peerMessages;
    private long _forwardBytes;
    private int _snapshots;
    private long _lastPing;
    private long _sending;

    public LinkOutbox(LinkSocket socket, LinkContext context, string silo, LinkCounters counters)
    {
        _socket = socket;
        _context = context;
        _silo = silo;
        _counters = counters;
        _lanes = new LinkLanes { FrameWritten = FrameWritten, SnapshotWritten = SnapshotWritten };
    }

    /// <summary>The number of the message that the network is being given; 0: none is.</summary>
    public long Sending => Interlocked.Read(ref _sending);

    /// <returns>False: the queue is full, or the link is lost.</returns>
    public bool TrySend(Envelope envelope)
    {
        if (envelope.Message.Type == MessageType.Snap)
            return TrySendSnapshot(envelope);
        LinkItem.Peer item = LinkItem.Of(envelope);
        bool fits = Interlocked.Add(ref _peerBytes, item.CountedBytes) <= _context.Options.OutgoingBytesMax;
        fits &= Interlocked.Increment(ref _peerMessages) <= _context.Options.OutgoingMessagesMax;
        if (fits && _waiting.Writer.TryWrite(item))
            return true;
        Interlocked.Add(ref _peerBytes, -item.CountedBytes);
        Interlocked.Decrement(ref _peerMessages);
        return false;
    }

    /// <summary>A forwarded request, or an answer to one.</summary>
    /// <returns>False: the queue is full, the frame is too large, or the link is lost.</returns>
    public bool TryForward(LinkFrame frame)
    {
        int bytes = frame.CalculateSize();
        if (bytes > _context.Options.FrameBytesMax)
            return false;
        if (Interlocked.Add(ref _forwardBytes, bytes) <= _context.Options.OutgoingBytesMax
            && _waiting.Writer.TryWrite(new LinkItem.Forward(frame, bytes)))
            return true;
        Interlocked.Add(ref _forwardBytes, -bytes);
        return false;
    }

    public void Send(LinkFrame own) => _waiting.Writer.TryWrite(new LinkItem.Own(own));

    /// <param name="numbered">Told of the ping's number before it is sent.</param>
    public long Ping(Action<long>? numbered = null)
    {
        long number = Interlocked.Increment(ref _lastPing);
        numbered?.Invoke(number);
        Send(new LinkFrame { Ping = new LinkPing { Number = number } });
        return number;
    }

    /// <summary>Whether something was sent of which only an answered ping tells that it has arrived.</summary>
    public bool AwaitsPong => !_unconfirmed.IsEmpty;

    /// <summary>All that was sent before this ping has arrived.</summary>
    public void Ponged(long number)
    {
        while (_unconfirmed.TryPeek(out (Envelope, long Ping) oldest) && oldest.Ping < number)
            _unconfirmed.TryDequeue(out _);
    }

    /// <summary>No more will be sent; what waits still is.</summary>
    public void Complete() => _waiting.Writer.TryComplete();

    /// <summary>Ends when all was sent after <see cref="Complete"/>.</summary>
    /// <exception cref="System.Net.WebSockets.WebSocketException">The connection is lost.</exception>
    public async Task RunAsync(CancellationToken aborted)
    {
        long message = 0;
        while (await _waiting.Reader.WaitToReadAsync(aborted))
        {
            while (FillMessage() is var written and > 0)
            {
                Interlocked.Exchange(ref _sending, ++message);
                await _socket.SendAsync(written, aborted);
                Interlocked.Exchange(ref _sending, 0);
                _counters.Sent(written);
            }
        }
    }

    /// <summary>To be called once, after the loop has ended: the snapshots that did not arrive, as far as is known.</summary>
    public List<Envelope> TakeUndelivered()
    {
        Complete();
        List<Envelope> lost = [.. _unconfirmed.Select(sent => sent.Snapshot), .. _lanes.Snapshots];
        while (_waiting.Reader.TryRead(out LinkItem? item))
        {
            if (item is LinkItem.Snapshot snapshot)
                lost.Add(snapshot.Envelope);
        }
        return lost;
    }

    private bool TrySendSnapshot(Envelope envelope)
    {
        bool fits = Interlocked.Increment(ref _snapshots) <= _context.Options.SnapshotsWaitingMax;
        if (fits && envelope.Message.Snapshot!.Data.Length <= _context.Options.SnapshotBytesMax
            && _waiting.Writer.TryWrite(new LinkItem.Snapshot(envelope)))
            return true;
        Interlocked.Decrement(ref _snapshots);
        return false;
    }

    private int FillMessage()
    {
        while (_waiting.Reader.TryRead(out LinkItem? item))
            Take(item);
        return _lanes.WriteMessage(_socket.OutgoingFrames);
    }

    private void Take(LinkItem item)
    {
        switch (item)
        {
            case LinkItem.Peer(Envelope envelope, long counted):
                LinkFrame frame = new() { Envelope = EnvelopeCodec.ToWire(envelope) };
                int bytes = frame.CalculateSize();
                Interlocked.Add(ref _peerBytes, bytes - counted);
                if (bytes <= _context.Options.FrameBytesMax)
                    _lanes.Add(frame, bytes);
                else
                    DropTooLarge(frame, bytes);
                break;
            case LinkItem.Snapshot(Envelope snapshot):
                if (_lanes.Add(snapshot) is { } givenUp)
                    SnapshotGivenUp(givenUp, replaced: givenUp != snapshot);
                break;
            case LinkItem.Forward(LinkFrame request, int size):
                _lanes.Add(request, size);
                break;
            case LinkItem.Own(LinkFrame own):
                _lanes.Add(own, own.CalculateSize());
                break;
        }
    }

    private void DropTooLarge(LinkFrame frame, int bytes)
    {
        FrameWritten(frame, bytes);
        if (_context.Gate.Passes(_silo, LinkTrouble.MessageTooLarge))
            _context.Log.MessageTooLarge(_silo, bytes, _context.Options.FrameBytesMax);
        _context.Handlers.Unreachable(_silo);
    }

    // A later snapshot of the same term waits for nothing: the earlier one is on its way, and will be answered.
    private void SnapshotGivenUp(Envelope snapshot, bool replaced)
    {
        Interlocked.Decrement(ref _snapshots);
        if (replaced)
            _context.Handlers.SnapshotFailed(snapshot);
    }

    private void FrameWritten(LinkFrame frame, int bytes)
    {
        if (frame.BodyCase == LinkFrame.BodyOneofCase.Envelope)
        {
            Interlocked.Add(ref _peerBytes, -bytes);
            Interlocked.Decrement(ref _peerMessages);
        }
        else if (frame.BodyCase is LinkFrame.BodyOneofCase.Request or LinkFrame.BodyOneofCase.Answer)
        {
            Interlocked.Add(ref _forwardBytes, -bytes);
        }
    }

    // Its bytes may still be in a buffer somewhere: it counts as under way until a later ping is answered.
    private void SnapshotWritten(Envelope snapshot)
    {
        Interlocked.Decrement(ref _snapshots);
        _unconfirmed.Enqueue((snapshot, Interlocked.Read(ref _lastPing)));
    }
}
