using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Coordinator.Tests.Fuzz;

internal enum Opcode { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 }

/// <summary>
/// The client's side of a WebSocket (RFC 6455) that can break each of its rules. Frames are masked with zeros, so that
/// what is sent can be read in a dump.
/// </summary>
internal sealed class RawWebSocket : IDisposable
{
    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;

    private RawWebSocket(TcpClient tcp)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
    }

    /// <summary>How the connection ended.</summary>
    public string End { get; private set; } = "";

    public static async Task<RawWebSocket> ConnectAsync(FuzzTarget target)
    {
        RawWebSocket socket = new(await target.ConnectAsync());
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /v1/connect HTTP/1.1\r\nHost: 127.0.0.1:{target.Port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
        StringBuilder head = new();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await socket._stream.ReadExactlyAsync(one);
            head.Append((char)one[0]);
        }
        if (!head.ToString().StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal))
            throw new FuzzFinding($"A WebSocket was refused: {head}");
        return socket;
    }

    public static byte[] Frame(Opcode opcode, ReadOnlySpan<byte> payload, bool fin = true)
    {
        byte first = (byte)((fin ? 0x80 : 0) | (int)opcode);
        byte[] head;
        if (payload.Length < 126)
        {
            head = [first, (byte)(0x80 | payload.Length), 0, 0, 0, 0];
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            head = [first, 0x80 | 126, 0, 0, 0, 0, 0, 0];
            BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(2), (ushort)payload.Length);
        }
        else
        {
            head = [first, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(2), payload.Length);
        }
        return [.. head, .. payload];
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes);

    /// <returns>The payload of the next binary message, pings answered; null at a close or at the connection's end.</returns>
    public async Task<byte[]?> ReceiveAsync(CancellationToken deadline)
    {
        MemoryStream message = new();
        try
        {
            while (true)
            {
                (Opcode opcode, bool fin, byte[] payload) = await ReceiveFrameAsync(deadline);
                if (opcode == Opcode.Close)
                {
                    End = $"closed with {Convert.ToHexString(payload)}";
                    return null;
                }
                if (opcode == Opcode.Ping)
                    await SendAsync(Frame(Opcode.Pong, payload));
                if (opcode is not (Opcode.Binary or Opcode.Continuation))
                    continue;
                message.Write(payload);
                if (fin)
                    return message.ToArray();
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            End = e.Message;
            return null;
        }
    }

    /// <summary>Ends the connection with a reset: nothing of the WebSocket's or TCP's good-byes is kept.</summary>
    public void Reset()
    {
        _tcp.LingerState = new LingerOption(enable: true, seconds: 0);
        _tcp.Dispose();
    }

    public void Dispose() => _tcp.Dispose();

    private async Task<(Opcode Opcode, bool Fin, byte[] Payload)> ReceiveFrameAsync(CancellationToken deadline)
    {
        byte[] head = await ReadAsync(2, deadline);
        long length = head[1] switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(2, deadline)),
            127 => BinaryPrimitives.ReadInt64BigEndian(await ReadAsync(8, deadline)),
            _ => head[1],
        };
        return ((Opcode)(head[0] & 0xf), (head[0] & 0x80) != 0, await ReadAsync((int)length, deadline));
    }

    private async Task<byte[]> ReadAsync(int count, CancellationToken deadline)
    {
        byte[] bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, deadline);
        return bytes;
    }
}
