using System.Net.WebSockets;
using Coordinator.Contracts;

namespace Coordinator.Silo.Links;

/// <summary>What became of reading a message: its frames, an end (no bytes), or why it is refused.</summary>
internal readonly record struct LinkRead(ReadOnlyMemory<byte> Bytes, string? Problem);

/// <summary>
/// Sealed messages on a WebSocket, one buffer in each direction. Invariant: what is handed on has been sent, exactly so,
/// by the silo that has proved itself in this link's handshake.
/// </summary>
internal sealed class LinkSocket(WebSocket socket, LinkSeal outgoing, LinkSeal incoming) : IDisposable
{
    private readonly byte[] _outgoing = GC.AllocateUninitializedArray<byte>(Limits.MessageBytesMax);
    private readonly byte[] _incoming = GC.AllocateUninitializedArray<byte>(Limits.MessageBytesMax);

    /// <summary>Where the frames of the next message are written.</summary>
    public Span<byte> OutgoingFrames => _outgoing.AsSpan(0, LinkLimits.MessageFramesBytesMax);

    /// <param name="count">Bytes in <see cref="OutgoingFrames"/>.</param>
    public ValueTask SendAsync(int count, CancellationToken aborted)
    {
        outgoing.Write(_outgoing.AsSpan(0, count), _outgoing.AsSpan(count, LinkSeal.Bytes));
        return socket.SendAsync(_outgoing.AsMemory(0, count + LinkSeal.Bytes), WebSocketMessageType.Binary,
            WebSocketMessageFlags.EndOfMessage, aborted);
    }

    /// <returns>The frames, good until the next call.</returns>
    public async ValueTask<LinkRead> ReceiveAsync(CancellationToken aborted)
    {
        LinkRead read = await ReceiveAsync(socket, _incoming, aborted);
        if (read.Problem is not null || read.Bytes.IsEmpty)
            return read;
        int frames = read.Bytes.Length - LinkSeal.Bytes;
        return frames > 0 && incoming.Fits(read.Bytes.Span[..frames], read.Bytes.Span[frames..])
            ? new LinkRead(read.Bytes[..frames], null)
            : new LinkRead(default, "A message's seal does not fit: it was changed on its way, or is not the next one.");
    }

    /// <summary>Reads one message, of at most the buffer's size.</summary>
    public static async ValueTask<LinkRead> ReceiveAsync(
        WebSocket socket, Memory<byte> buffer, CancellationToken aborted)
    {
        int count = 0;
        while (true)
        {
            ValueWebSocketReceiveResult received = await socket.ReceiveAsync(buffer[count..], aborted);
            if (received.MessageType == WebSocketMessageType.Close)
                return default;
            if (received.MessageType != WebSocketMessageType.Binary)
                return new LinkRead(default, "Messages are binary, not text.");
            count += received.Count;
            if (received.EndOfMessage)
                return count > 0 ? new LinkRead(buffer[..count], null) : new LinkRead(default, "A message holds no frame.");
            if (count == buffer.Length)
                return new LinkRead(default, $"A message is over {buffer.Length} bytes.");
        }
    }

    public void Dispose()
    {
        outgoing.Dispose();
        incoming.Dispose();
    }
}
