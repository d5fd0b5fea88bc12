using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Tests.Silo;

namespace Coordinator.Tests.Fuzz;

/// <summary>Reads the answers on one connection, one after another.</summary>
internal sealed class HttpResponseReader(NetworkStream stream)
{
    private readonly byte[] _chunk = new byte[32 * 1024];
    private readonly ArrayBufferWriter<byte> _received = new();

    /// <returns>Null at the end of the connection; throws what a reset throws.</returns>
    public async Task<HttpAnswer?> ReadAsync(bool isHead, CancellationToken deadline)
    {
        int end;
        while ((end = Received.IndexOf("\r\n\r\n"u8)) < 0)
            if (!await ReceiveAsync(deadline))
                return null;
        HttpAnswer head = HttpAnswer.Parse(Encoding.Latin1.GetString(Received[..(end + 4)]));
        Consume(end + 4);
        if ((int)head.Status < 200 && head.Status != HttpStatusCode.SwitchingProtocols)
            return await ReadAsync(isHead, deadline);
        int length = isHead ? 0 : int.Parse(head.Headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture);
        while (_received.WrittenCount < length)
            if (!await ReceiveAsync(deadline))
                throw new EndOfStreamException($"An answer ends after {_received.WrittenCount} of {length} bytes.");
        HttpAnswer answer = head with { Body = Received[..length].ToArray() };
        Consume(length);
        return answer;
    }

    private ReadOnlySpan<byte> Received => _received.WrittenSpan;

    private async Task<bool> ReceiveAsync(CancellationToken deadline)
    {
        int count = await stream.ReadAsync(_chunk, deadline);
        _received.Write(_chunk.AsSpan(0, count));
        return count > 0;
    }

    private void Consume(int count)
    {
        byte[] rest = Received[count..].ToArray();
        _received.Clear();
        _received.Write(rest);
    }
}
