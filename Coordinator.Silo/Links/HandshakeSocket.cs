using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;

namespace Coordinator.Silo.Links;

/// <summary>One frame a message, small ones: all that is said before both sides have proved themselves.</summary>
internal sealed class HandshakeSocket(WebSocket socket)
{
    private readonly byte[] _incoming = new byte[LinkLimits.HandshakeMessageBytesMax];

    public WebSocket Socket => socket;

    /// <returns>The bytes of the message.</returns>
    public async Task<byte[]> SendAsync(LinkFrame frame, CancellationToken deadline)
    {
        int bytes = frame.CalculateSize();
        byte[] message = new byte[FrameLimits.HeaderBytes + bytes];
        FrameLane.WriteFrame(frame, bytes, message);
        await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, deadline);
        return message;
    }

    /// <returns>The next frame and the bytes of its message; or what is wrong.</returns>
    public async Task<(LinkFrame? Frame, byte[] Message, string? Problem)> ReceiveAsync(CancellationToken deadline)
    {
        LinkRead read = await LinkSocket.ReceiveAsync(socket, _incoming, deadline);
        if (read.Problem is not null)
            return (null, [], read.Problem);
        if (read.Bytes.IsEmpty)
            return (null, [], "The other side closed the connection.");
        List<LinkFrame> frames = [];
        FrameDecoder<LinkFrame> decoder = FrameDecoder.ForLink(new ReassemblyLimits(0, 0));
        if (decoder.Decode(read.Bytes.Span, frames) is { } error)
            return (null, [], error.Message);
        return frames.Count == 1
            ? (frames[0], read.Bytes.ToArray(), null)
            : (null, [], "A message of a handshake is one frame.");
    }
}
