using System.Net.WebSockets;
using System.Threading.Channels;

namespace Coordinator.Silo.Orleans;

/// <summary>
/// The silo's end of a connection that goes over grain calls; for the rest of the silo it is a WebSocket. Invariant: few
/// messages wait in either direction: who sends faster than the other end takes has to wait, as on a network.
/// </summary>
internal sealed class ConnectionSocket : WebSocket
{
    private const int WaitingMax = 16;

    private readonly Channel<byte[]> _toSilo = Channel.CreateBounded<byte[]>(WaitingMax);
    private readonly Channel<byte[]> _toClient = Channel.CreateBounded<byte[]>(WaitingMax);
    private volatile bool _isAborted;
    private volatile bool _isClosed;

    public override WebSocketCloseStatus? CloseStatus => null;

    public override string? CloseStatusDescription => null;

    public override string? SubProtocol => null;

    public override WebSocketState State =>
        _isAborted ? WebSocketState.Aborted : _isClosed ? WebSocketState.CloseSent : WebSocketState.Open;

    /// <summary>From the client.</summary>
    /// <exception cref="ChannelClosedException">The connection is over.</exception>
    public ValueTask GiveAsync(byte[] message) => _toSilo.Writer.WriteAsync(message);

    /// <summary>The client sends no more.</summary>
    public void EndInput() => _toSilo.Writer.TryComplete();

    /// <summary>For the client.</summary>
    /// <returns>Null: nothing within the time. Empty: there will be nothing more.</returns>
    public async Task<byte[]?> TakeAsync(TimeSpan patience, TimeProvider time)
    {
        try
        {
            // Only the wait may end early: a read that went on would take a message that nobody gets.
            return await _toClient.Reader.WaitToReadAsync().AsTask().WaitAsync(patience, time)
                && _toClient.Reader.TryRead(out byte[]? message) ? message : [];
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    public override void Abort()
    {
        _isAborted = true;
        _toSilo.Writer.TryComplete();
        _toClient.Writer.TryComplete();
    }

    public override Task CloseOutputAsync(
        WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        _isClosed = true;
        _toClient.Writer.TryComplete();
        return Task.CompletedTask;
    }

    public override Task CloseAsync(
        WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        CloseOutputAsync(closeStatus, statusDescription, cancellationToken);

    public override void Dispose() => Abort();

    public override async Task SendAsync(
        ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        try
        {
            await _toClient.Writer.WriteAsync([.. buffer], cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely, e);
        }
    }

    public override async Task<WebSocketReceiveResult> ReceiveAsync(
        ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            byte[] message = await _toSilo.Reader.ReadAsync(cancellationToken);
            if (message.Length > buffer.Count)
                throw new WebSocketException(WebSocketError.InvalidMessageType, "The message is longer than any may be.");
            message.CopyTo(buffer.AsSpan());
            return new WebSocketReceiveResult(message.Length, WebSocketMessageType.Binary, endOfMessage: true);
        }
        catch (ChannelClosedException) when (!_isAborted)
        {
            return new WebSocketReceiveResult(0, WebSocketMessageType.Close, endOfMessage: true);
        }
        catch (ChannelClosedException e)
        {
            throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely, e);
        }
    }
}
