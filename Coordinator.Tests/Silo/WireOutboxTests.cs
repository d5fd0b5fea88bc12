using System.Net.WebSockets;
using System.Threading.Channels;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Silo.Http;
using Coordinator.Silo.Wire;

namespace Coordinator.Tests.Silo;

public sealed class WireOutboxTests
{
    [Fact]
    public async Task Answers_that_gather_while_a_message_is_sent_share_the_next_one()
    {
        using HeldSocket socket = new();
        using WireOutbox outbox = new(socket, new HttpInterfaceOptions());
        Task running = outbox.RunAsync();
        outbox.Send(new ServerFrame { CorrelationId = 1 });
        Assert.Equal([1], IdsOf(await socket.NextAsync()));

        for (int i = 2; i <= 500; i++)
            outbox.Send(new ServerFrame { CorrelationId = i });
        outbox.Complete();
        socket.Finish();

        Assert.Equal(Enumerable.Range(2, 499).Select(i => (long)i), IdsOf(await socket.NextAsync()));
        socket.Finish();
        await running.WaitAsync(HttpTestSilo.Patience);
        Assert.False(outbox.Overflowed);
    }

    private static List<long> IdsOf(byte[] message)
    {
        List<ServerFrame> frames = [];
        Assert.Null(FrameDecoder.ForClient().Decode(message, frames));
        return [.. frames.Select(frame => frame.CorrelationId)];
    }

    /// <summary>Every send waits until the test lets it finish.</summary>
    private sealed class HeldSocket : WebSocket
    {
        private readonly Channel<byte[]> _sent = Channel.CreateUnbounded<byte[]>();
        private readonly SemaphoreSlim _finished = new(0);

        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => WebSocketState.Open;

        public override string? SubProtocol => null;

        public Task<byte[]> NextAsync() => _sent.Reader.ReadAsync().AsTask().WaitAsync(HttpTestSilo.Patience);

        public void Finish() => _finished.Release();

        public override Task SendAsync(
            ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
        {
            Assert.True(endOfMessage);
            _sent.Writer.TryWrite([.. buffer]);
            return _finished.WaitAsync(cancellationToken);
        }

        public override void Abort() => _sent.Writer.TryComplete();

        public override void Dispose() => _finished.Dispose();

        public override Task CloseAsync(
            WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public override Task CloseOutputAsync(
            WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public override Task<WebSocketReceiveResult> ReceiveAsync(
            ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
