using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;

namespace Coordinator.Silo.Wire;

/// <summary>
/// Reads the messages of one connection, one at a time, into one buffer. Invariant: no message is ever held beyond
/// its limit, and an error is the last thing read.
/// </summary>
internal sealed class WireReader(WebSocket socket)
{
    private readonly byte[] _message = GC.AllocateUninitializedArray<byte>(Limits.MessageBytesMax);
    private readonly FrameDecoder<ClientFrame> _decoder = FrameDecoder.ForSilo();

    /// <summary>Adds the frames of the next message.</summary>
    /// <param name="deadline">Aborts the connection.</param>
    public async ValueTask<WireRead> ReadAsync(List<ClientFrame> frames, CancellationToken deadline)
    {
        int count = 0;
        while (true)
        {
            ValueWebSocketReceiveResult received = await socket.ReceiveAsync(_message.AsMemory(count), deadline);
            if (received.MessageType == WebSocketMessageType.Close)
                return new WireRead.Closed();
            if (received.MessageType != WebSocketMessageType.Binary)
                return Failed(ErrorCode.InvalidRequest, "Messages are binary, not text.");
            count += received.Count;
            if (received.EndOfMessage)
                break;
            if (count == _message.Length)
                return Failed(ErrorCode.RequestTooLarge, $"A message is over {Limits.MessageBytesMax} bytes.");
        }
        return _decoder.Decode(_message.AsSpan(0, count), frames) is { } error
            ? new WireRead.Failed(error)
            : WireRead.More;
    }

    /// <summary>
    /// Reads on without looking, so that the client gets to read why it was refused, until it closes too.
    /// </summary>
    public async Task DiscardAsync(CancellationToken deadline)
    {
        while ((await socket.ReceiveAsync(_message.AsMemory(), deadline)).MessageType != WebSocketMessageType.Close)
        {
        }
    }

    private static WireRead.Failed Failed(ErrorCode code, string message) => new(new FramingError(code, message));
}

/// <summary>What came of reading one message.</summary>
internal abstract record WireRead
{
    public static Frames More { get; } = new();

    public sealed record Frames : WireRead;

    /// <summary>The client has closed the connection.</summary>
    public sealed record Closed : WireRead;

    /// <summary>What came can't be understood. Frames before it may have been added.</summary>
    public sealed record Failed(FramingError Error) : WireRead;
}
