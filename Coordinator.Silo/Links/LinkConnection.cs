using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Grains;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>
/// One open link, from its handshake to its end. Invariant: when <see cref="RunAsync"/> has ended, nothing of it is left,
/// and nothing more is handed on from it.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "It holds nothing unless its wait handle is used.")]
internal sealed class LinkConnection
{
    private const int LooksPerPing = 2;
    private static readonly TimeSpan CloseGrace = TimeSpan.FromMilliseconds(500);

    private readonly LinkSession _session;
    private readonly LinkContext _context;
    private readonly LinkCounters _counters;
    private readonly LinkSocket _socket;
    private readonly LinkOutbox _outbox;
    private readonly ForwardedCalls _calls;
    private readonly FrameDecoder<LinkFrame> _decoder;
    private readonly SnapshotAssembler _snapshot;
    private readonly FactsPieces _told = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource> _asked = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _heard;
    private int _look;
    private (long Heard, long Sending) _seen;
    private (int Silent, int Stuck) _looks;
    private string? _reason;

    public LinkConnection(LinkSession session, LinkContext context, LinkCounters counters)
    {
        _session = session;
        _context = context;
        _counters = counters;
        _socket = session.Seal();
        _outbox = new LinkOutbox(_socket, context, session.Silo, counters);
        _calls = new ForwardedCalls(_outbox, context, session.Silo, Abort);
        Forwards = new OpenForwards(_outbox, context.Options, session.Silo);
        int frameBytesMax = context.Options.FrameBytesMax;
        _decoder = FrameDecoder.ForLink(new ReassemblyLimits(frameBytesMax, (int)Math.Min(2L * frameBytesMax, int.MaxValue)));
        _snapshot = new SnapshotAssembler(context.Options.SnapshotBytesMax);
    }

    public ByteString Process => _session.Process;

    public OpenForwards Forwards { get; }

    /// <summary>Ends, and never fails: nothing is handed on from it any more, and its end has been told.</summary>
    public Task Ended => _ended.Task;

    public bool TrySend(Envelope envelope) => _outbox.TrySend(envelope);

    /// <summary>Called by one at a time.</summary>
    public void Tell(SiloFacts facts)
    {
        foreach (SiloFacts piece in _told.Next(facts))
            _outbox.Send(new LinkFrame { Facts = piece });
    }

    /// <summary>Whether the process on the other side answers within the time, over this very link.</summary>
    public async Task<bool> IsAliveAsync(TimeSpan patience)
    {
        TaskCompletionSource answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        long number = _outbox.Ping(ping => _asked[ping] = answered);
        Task first = await Task.WhenAny(answered.Task, _ended.Task, Task.Delay(patience, _context.Time));
        _asked.TryRemove(number, out _);
        return first == answered.Task;
    }

    public void Abort(string reason)
    {
        Interlocked.CompareExchange(ref _reason, reason, null);
        _aborted.Cancel();
    }

    /// <summary>Sends what waits, and closes.</summary>
    public void Close()
    {
        Interlocked.CompareExchange(ref _reason, "This silo closed it.", null);
        _outbox.Complete();
        _aborted.CancelAfter(CloseGrace);
    }

    /// <summary>Hands on what comes, until the connection ends.</summary>
    /// <returns>Why it ended.</returns>
    public async Task<string> RunAsync()
    {
        Task sending = SendAsync();
        // All links share a timer, and so wake the process once for all.
        var ticks = TickSource.Of(_context.Time, _context.Options.PingInterval / LooksPerPing);
        Action look = Look;
        ticks.Add(look);
        try
        {
            string? problem = await ReadAsync();
            Interlocked.CompareExchange(ref _reason, problem ?? "The other silo closed it.", null);
        }
        catch (Exception e) when (IsLost(e))
        {
            Interlocked.CompareExchange(ref _reason, e.Message, null);
        }
        finally
        {
            _aborted.Cancel();
            _session.Socket.Abort();
            await sending;
            ticks.Remove(look);
            _socket.Dispose();
        }
        return _reason!;
    }

    /// <summary>Settles what was under way; to be called once, when <see cref="RunAsync"/> has ended.</summary>
    public async Task FinishAsync()
    {
        try
        {
            Forwards.Lose();
            foreach (Envelope snapshot in _outbox.TakeUndelivered())
                _context.Handlers.SnapshotFailed(snapshot);
        }
        finally
        {
            _ended.TrySetResult();
        }
        await _calls.EndAsync();
    }

    internal static bool IsLost(Exception e) =>
        e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException;

    private async Task SendAsync()
    {
        try
        {
            await _outbox.RunAsync(_aborted.Token);
            await _session.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _aborted.Token);
        }
        catch (Exception e) when (IsLost(e))
        {
            Abort(e.Message);
        }
    }

    private async Task<string?> ReadAsync()
    {
        List<LinkFrame> frames = [];
        while (true)
        {
            LinkRead read = await _socket.ReceiveAsync(_aborted.Token);
            if (read.Problem is not null || read.Bytes.IsEmpty)
                return read.Problem;
            _counters.Received(read.Bytes.Length);
            Interlocked.Increment(ref _heard);
            FramingError? error = _decoder.Decode(read.Bytes.Span, frames);
            foreach (LinkFrame frame in frames)
            {
                if (Take(frame) is { } problem)
                    return problem;
            }
            frames.Clear();
            if (error is not null)
                return error.Message;
        }
    }

    /// <returns>Null, or what is wrong: the link can't be used any further.</returns>
    private string? Take(LinkFrame frame)
    {
        string? problem = null;
        switch (frame.BodyCase)
        {
            case LinkFrame.BodyOneofCase.Envelope:
                HandOn(EnvelopeCodec.FromWire(frame.Envelope, out string? refused), refused);
                break;
            case LinkFrame.BodyOneofCase.SnapshotBegin:
                HandOn(_snapshot.Begin(frame.SnapshotBegin, out problem), null);
                break;
            case LinkFrame.BodyOneofCase.SnapshotChunk:
                HandOn(_snapshot.Add(frame.SnapshotChunk, out problem), null);
                break;
            case LinkFrame.BodyOneofCase.Facts:
                _context.Handlers.FactsReceived(_session.Silo, frame.Facts);
                break;
            case LinkFrame.BodyOneofCase.Request:
                return _calls.Begin(frame.CorrelationId, frame.Request);
            case LinkFrame.BodyOneofCase.Answer:
                Forwards.Answered(frame.CorrelationId, frame.Answer);
                break;
            case LinkFrame.BodyOneofCase.Abandon:
                _calls.Abandon(frame.CorrelationId);
                break;
            case LinkFrame.BodyOneofCase.Ping:
                _outbox.Send(new LinkFrame { Pong = frame.Ping });
                break;
            case LinkFrame.BodyOneofCase.Pong:
                Ponged(frame.Pong.Number);
                break;
            default:
                return $"A frame {frame.BodyCase} does not belong on an open link.";
        }
        return problem;
    }

    // One envelope that this version can't read is no reason to lose all the others.
    private void HandOn(Envelope? envelope, string? refused)
    {
        if (envelope is not null)
            _context.Handlers.Received(_session.Silo, envelope);
        else if (refused is not null && _context.Gate.Passes(_session.Silo, LinkTrouble.BadEnvelope))
            _context.Log.BadEnvelope(_session.Silo, refused);
    }

    private void Ponged(long number)
    {
        _outbox.Ponged(number);
        if (_asked.TryRemove(number, out TaskCompletionSource? asked))
            asked.TrySetResult();
    }

    // Looks are counted, not time: after a pause of this process what has come meanwhile is read before it is judged.
    private void Look()
    {
        bool wasSilent = !Exchange(ref _seen.Heard, Interlocked.Read(ref _heard));
        bool isStuck = !Exchange(ref _seen.Sending, _outbox.Sending) && _seen.Sending != 0;
        _looks = (wasSilent ? _looks.Silent + 1 : 0, isStuck ? _looks.Stuck + 1 : 0);
        double looksMax = LooksPerPing * (_context.Options.DeadAfter / _context.Options.PingInterval);
        // The pings of one side and the answers to them tell both that the other lives.
        if (++_look % LooksPerPing == 0 && (_session.IsDialer || _looks.Silent >= LooksPerPing || _outbox.AwaitsPong))
            _outbox.Ping();
        // Not here, where the other links wait for their look.
        if (_looks.Silent >= looksMax)
            _ = Task.Run(() => Abort($"Nothing was heard for {_context.Options.DeadAfter.TotalSeconds} s."));
        else if (_looks.Stuck >= looksMax)
            _ = Task.Run(() => Abort($"A message could not be sent for {_context.Options.DeadAfter.TotalSeconds} s."));
    }

    /// <returns>Whether that changed it.</returns>
    private static bool Exchange(ref long last, long now)
    {
        bool changed = last != now;
        last = now;
        return changed;
    }
}
