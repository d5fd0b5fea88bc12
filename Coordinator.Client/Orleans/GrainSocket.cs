using System.Net.WebSockets;
using Coordinator.Contracts.Orleans;
using Orleans;

namespace Coordinator.Client.Orleans;

/// <summary>
/// The client's end of a connection that goes over grain calls; for the client it is a WebSocket. Invariant: a call that
/// failed ends it, since nobody can tell whether its message has arrived.
/// </summary>
internal sealed class GrainSocket(IGrainFactory grains) : WebSocket
{
    private readonly IConnectionGrain _grain = grains.GetGrain<IConnectionGrain>(Guid.NewGuid());
    private readonly CancellationTokenSource _aborted = new();
    private long _sent;
    private long _received;
    private WebSocketState _state = WebSocketState.Open;

    public override WebSocketCloseStatus? CloseStatus =>
        _state == WebSocketState.CloseReceived ? WebSocketCloseStatus.EndpointUnavailable : null;

    public override string? CloseStatusDescription => null;

    public override WebSocketState State => _state;

    public override string? SubProtocol => null;

    public override void Abort()
    {
        if (_state is WebSocketState.Aborted or WebSocketState.Closed)
            return;
        _state = WebSocketState.Aborted;
        _ = _aborted.CancelAsync();
        _grain.CloseAsync().Ignore();
    }

    public override async Task CloseOutputAsync(
        WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        _state = WebSocketState.CloseSent;
        await _grain.CloseAsync().ConfigureAwait(false);
    }

    public override Task CloseAsync(
        WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        CloseOutputAsync(closeStatus, statusDescription, cancellationToken);

    public override void Dispose()
    {
        Abort();
        _aborted.Dispose();
    }

    public override async Task SendAsync(
        ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) =>
        await _grain.SendAsync(_sent++, [.. buffer]).WaitAsync(cancellationToken).ConfigureAwait(false);

    public override async Task<WebSocketReceiveResult> ReceiveAsync(
        ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            _aborted.Token.ThrowIfCancellationRequested();
            byte[]? message = await _grain.ReceiveAsync(_received).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (message is null)
                continue;
            _received++;
            if (message.Length == 0)
            {
                _state = WebSocketState.CloseReceived;
                return new WebSocketReceiveResult(0, WebSocketMessageType.Close, endOfMessage: true);
            }
            message.CopyTo(buffer.AsSpan());
            return new WebSocketReceiveResult(message.Length, WebSocketMessageType.Binary, endOfMessage: true);
        }
    }
}
