using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using System.Threading.Channels;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;

namespace Coordinator.Client.Connection;

/// <summary>
/// One WebSocket from its opening to its end: a reader and a writer, nothing decided. Tells the loop once that it is
/// connected, and once, last, that it is gone.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Neither holds anything unless its wait handle is used.")]
internal sealed class SocketLink
{
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(5);

    private readonly CoordinatorClientOptions _options;
    private readonly Uri _uri;
    private readonly Action<LoopInput> _post;
    private readonly CancellationTokenSource _aborted = new();

    // Bounded by the client's open requests: each is in here once at most, a stream with what it abandoned.
    private readonly Channel<ClientFrame> _outgoing =
        Channel.CreateUnbounded<ClientFrame>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    // Messages that were read and not yet worked on: when the loop is behind, the silo has to wait.
    private readonly SemaphoreSlim _unhandled = new(16);

    public SocketLink(int number, string endpoint, CoordinatorClientOptions options, Action<LoopInput> post)
    {
        Number = number;
        _options = options;
        _uri = ClientEndpoint.ConnectUri(endpoint);
        _post = post;
    }

    public int Number { get; }

    /// <summary>Ends, and never fails, after the connection is closed.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start() => Completion = Task.Run(RunAsync);

    public void Send(ClientFrame frame) => _outgoing.Writer.TryWrite(frame);

    /// <summary>The loop has worked on one of the messages posted to it.</summary>
    public void MessageHandled() => _unhandled.Release();

    /// <summary>Sends what waits, then closes.</summary>
    public void Close() => _outgoing.Writer.TryComplete();

    public void Abort()
    {
        _outgoing.Writer.TryComplete();
        _ = _aborted.CancelAsync();
    }

    /// <summary>A WebSocket of the network.</summary>
    public static async Task<WebSocket> OpenAsync(
        Uri uri, CoordinatorClientOptions options, CancellationToken cancellationToken)
    {
        ClientWebSocket socket = new();
        try
        {
            // A watcher may have nothing to say and nothing to hear for days: pings tell a quiet silo from a dead one.
            socket.Options.KeepAliveInterval = PingInterval;
            socket.Options.KeepAliveTimeout = PingInterval;
            options.ConfigureWebSocket?.Invoke(socket.Options);
            await socket.ConnectAsync(uri, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task RunAsync()
    {
        string reason = "The connection was closed.";
        try
        {
            using WebSocket socket = await _options.OpenSocket(_uri, _options, _aborted.Token).ConfigureAwait(false);
            _post(new LoopInput(LoopInputKind.Connected, Link: this));
            reason = await CarryAsync(socket).ConfigureAwait(false);
        }
        // Whatever it was, also in the user's own ConfigureWebSocket: this connection is over, and the machine says
        // what comes next.
        catch (Exception e)
        {
            reason = e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message;
        }
        _post(new LoopInput(LoopInputKind.Disconnected, Link: this, Reason: reason));
    }

    /// <summary>Reads and writes until either ends; the other ends with it.</summary>
    private async Task<string> CarryAsync(WebSocket socket)
    {
        Task<string> reading = ReadAsync(socket);
        Task writing = WriteAsync(socket);
        try
        {
            Task first = await Task.WhenAny(reading, writing).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            return first == reading ? await reading.ConfigureAwait(false) : "The connection was closed.";
        }
        finally
        {
            await _aborted.CancelAsync().ConfigureAwait(false);
            socket.Abort();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WriteAsync(WebSocket socket)
    {
        OutgoingFrames waiting = new();
        byte[] message = new byte[Limits.MessageBytesMax];
        ChannelReader<ClientFrame> outgoing = _outgoing.Reader;
        while (await outgoing.WaitToReadAsync(_aborted.Token).ConfigureAwait(false))
        {
            int bytes;
            do
            {
                // All that gathered while the last message was on its way shares the next.
                while (outgoing.TryRead(out ClientFrame? frame))
                    waiting.Add(frame);
                bytes = waiting.WriteMessage(message);
                if (bytes > 0)
                    await socket.SendAsync(
                        message.AsMemory(0, bytes), WebSocketMessageType.Binary, true, _aborted.Token)
                        .ConfigureAwait(false);
            }
            while (bytes > 0);
        }
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _aborted.Token).ConfigureAwait(false);
    }

    private async Task<string> ReadAsync(WebSocket socket)
    {
        FrameDecoder<ServerFrame> decoder = FrameDecoder.ForClient();
        // One byte over the limit: a message that fills it is too long.
        byte[] message = new byte[Limits.MessageBytesMax + 1];
        while (true)
        {
            int length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(message.AsMemory(length), _aborted.Token).ConfigureAwait(false);
                if (part.MessageType == WebSocketMessageType.Close)
                    return $"The silo closed the connection: {socket.CloseStatus} {socket.CloseStatusDescription}".TrimEnd();
                length += part.Count;
            }
            while (!part.EndOfMessage && length < message.Length);
            if (part.MessageType != WebSocketMessageType.Binary)
                return "The silo sent text, not frames.";
            List<ServerFrame> frames = [];
            FramingError? error = decoder.Decode(message.AsSpan(0, length), frames);
            if (frames.Count > 0)
            {
                await _unhandled.WaitAsync(_aborted.Token).ConfigureAwait(false);
                _post(new LoopInput(LoopInputKind.Frames, Link: this, Frames: frames));
            }
            if (error is not null)
                return $"The silo sent what can't be read: {error.Message}";
        }
    }
}
