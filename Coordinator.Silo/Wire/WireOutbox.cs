using System.Net.WebSockets;
using System.Threading.Channels;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Silo.Http;

namespace Coordinator.Silo.Wire;

/// <summary>
/// What waits to be sent on one connection. Anyone adds; one loop sends all that waits, as much as fits in each
/// message. Invariant: no more than the option's bytes ever wait: a client that doesn't read loses its connection,
/// and costs nobody else anything. Of watches no more waits than their own bound and a page, and behind all else.
/// </summary>
internal sealed class WireOutbox(WebSocket socket, HttpInterfaceOptions options) : IDisposable
{
    private readonly Channel<(ServerFrame Frame, int Bytes)> _waiting =
        Channel.CreateUnbounded<(ServerFrame, int)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly OutgoingFrames _frames = new();
    private readonly byte[] _message = GC.AllocateUninitializedArray<byte>(Limits.MessageBytesMax);
    private CancellationTokenSource _sendTimeout = new();
    private readonly SemaphoreSlim _turn = new(1);
    private TaskCompletionSource? _room;
    private long _waitingBytes;

    /// <summary>Whether the connection was given up because its client did not read.</summary>
    public bool Overflowed { get; private set; }

    private bool HasNoRoom => Interlocked.Read(ref _waitingBytes) >= options.WatchBytesMax;

    public void Send(ServerFrame frame)
    {
        int bytes = frame.CalculateSize();
        if (Interlocked.Add(ref _waitingBytes, bytes) <= options.OutgoingBytesMax)
        {
            _waiting.Writer.TryWrite((frame, bytes));
            return;
        }
        Overflowed = true;
        _waiting.Writer.TryComplete();
        socket.Abort();
    }

    /// <summary>
    /// Sends when there is room, and one such frame after another: a thousand watches of one key are not a reason to
    /// lose the connection.
    /// </summary>
    public async Task SendWhenRoomAsync(ServerFrame frame, CancellationToken abandoned)
    {
        await _turn.WaitAsync(abandoned);
        try
        {
            await WhenRoomAsync(abandoned);
            Send(frame);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends when less waits than watches may fill; of a connection that is lost, never.</summary>
    public async Task WhenRoomAsync(CancellationToken abandoned)
    {
        while (HasNoRoom)
        {
            TaskCompletionSource room = new(TaskCreationOptions.RunContinuationsAsynchronously);
            room = Interlocked.CompareExchange(ref _room, room, null) ?? room;
            // Looked at again: what was sent in between has told nobody.
            if (HasNoRoom)
                await room.Task.WaitAsync(abandoned);
        }
    }

    /// <summary>No more will be sent; what waits still is.</summary>
    public void Complete() => _waiting.Writer.TryComplete();

    /// <summary>Ends when all was sent after <see cref="Complete"/>, or when the connection is lost.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await _waiting.Reader.WaitToReadAsync())
                await SendWaitingAsync();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The reading side sees the same end and reports it.
            _waiting.Writer.TryComplete();
            socket.Abort();
        }
    }

    public void Dispose()
    {
        _sendTimeout.Dispose();
        _turn.Dispose();
    }

    private async Task SendWaitingAsync()
    {
        while (true)
        {
            while (_waiting.Reader.TryRead(out (ServerFrame Frame, int Bytes) next))
                Add(next.Frame, next.Bytes);
            long before = _frames.PendingBytes;
            int written = _frames.WriteMessage(_message);
            if (written == 0)
                return;
            ArmSendTimeout();
            await socket.SendAsync(_message.AsMemory(0, written), WebSocketMessageType.Binary,
                WebSocketMessageFlags.EndOfMessage, _sendTimeout.Token);
            Interlocked.Add(ref _waitingBytes, _frames.PendingBytes - before);
            if (!HasNoRoom)
                Interlocked.Exchange(ref _room, null)?.TrySetResult();
        }
    }

    // A page too goes behind all else when it is the last of its watch, so that the pages of a watch keep their order.
    private void Add(ServerFrame frame, int bytes)
    {
        if (frame.BodyCase == ServerFrame.BodyOneofCase.WatchPage)
            _frames.AddBulk(frame, bytes);
        else
            _frames.Add(frame, bytes);
    }

    // A send that its client does not take is ended by aborting the connection.
    private void ArmSendTimeout()
    {
        if (!_sendTimeout.TryReset())
        {
            _sendTimeout.Dispose();
            _sendTimeout = new CancellationTokenSource();
        }
        _sendTimeout.CancelAfter(options.PingTimeout);
    }
}
