using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;

namespace Coordinator.Tests.Silo;

/// <summary>A client that speaks frames, without any of the real client's rules.</summary>
internal sealed class WireTestClient(ClientWebSocket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[Limits.MessageBytesMax];
    private readonly FrameDecoder<ServerFrame> _decoder = FrameDecoder.ForClient();
    private readonly Queue<ServerFrame> _received = new();
    private readonly OutgoingFrames _outgoing = new();

    public ClientWebSocket Socket => socket;

    public void Dispose() => socket.Dispose();

    public async Task<Welcome> GreetAsync()
    {
        await SendAsync(new ClientFrame { Hello = new Hello { ProtocolVersion = 1, ClientName = "test" } });
        return (await ReceiveAsync())!.Welcome;
    }

    /// <summary>Sends the frames, together where they fit.</summary>
    public async Task SendAsync(params ClientFrame[] frames)
    {
        foreach (ClientFrame frame in frames)
            _outgoing.Add(frame);
        byte[] message = new byte[Limits.MessageBytesMax];
        while (_outgoing.WriteMessage(message) is var written and > 0)
            await SendMessageAsync(message.AsMemory(0, written));
    }

    public async Task SendMessageAsync(ReadOnlyMemory<byte> message, WebSocketMessageType type = WebSocketMessageType.Binary)
    {
        using CancellationTokenSource patience = new(HttpTestSilo.Patience);
        await socket.SendAsync(message, type, endOfMessage: true, patience.Token);
    }

    public async Task<ServerFrame> AskAsync(ClientFrame frame)
    {
        await SendAsync(frame);
        return (await ReceiveAsync())!;
    }

    /// <returns>The next frame; null when the silo has closed.</returns>
    public async Task<ServerFrame?> ReceiveAsync()
    {
        using CancellationTokenSource patience = new(HttpTestSilo.Patience);
        while (_received.Count == 0)
        {
            int count = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(_buffer.AsMemory(count), patience.Token);
                if (part.MessageType == WebSocketMessageType.Close)
                    return null;
                count += part.Count;
            }
            while (!part.EndOfMessage);
            List<ServerFrame> frames = [];
            Assert.Null(_decoder.Decode(_buffer.AsSpan(0, count), frames));
            frames.ForEach(_received.Enqueue);
        }
        return _received.Dequeue();
    }

    /// <summary>The silo refuses the connection: one failure by name, then a close.</summary>
    public async Task<ServerFrame> AssertRefusedAsync(ErrorCode code, WebSocketCloseStatus status)
    {
        ServerFrame? frame = await ReceiveAsync();
        while (frame is not null && frame.BodyCase != ServerFrame.BodyOneofCase.Failure)
            frame = await ReceiveAsync();
        Assert.NotNull(frame);
        Assert.Equal(code, frame.Failure.Code);
        Assert.NotEmpty(frame.Failure.Message);
        Assert.Null(await ReceiveAsync());
        Assert.Equal(status, socket.CloseStatus);
        return frame;
    }
}
