using System.Diagnostics;
using System.Net;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Silo.Links;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Benchmarks;

/// <summary>
/// One link between two silos in this process, over loopback: small messages, appends of 128 bytes and of 64 KiB. A figure
/// of both ends together, handshake apart.
/// </summary>
internal static class LinkBenchmark
{
    private static readonly int[] EntryBytes = [0, 128, 64 * 1024];

    public static async Task<int> RunAsync(string[] args)
    {
        int seconds = 3;
        if (args is ["--seconds", var text] && int.TryParse(text, out int given) && given is >= 1 and <= 600)
            seconds = given;
        else if (args.Length > 0)
        {
            Console.Error.WriteLine("links takes --seconds N (1 to 600).");
            return 2;
        }
        long received = 0;
        // The silo whose id comes first opens the link, so it has to know where the other one listens.
        await using SiloLinks listener = Start("b", new LinkPeer("a", new Uri("ws://127.0.0.1:1")), () => Interlocked.Increment(ref received));
        await listener.StartAsync(CancellationToken.None);
        await using SiloLinks dialer = Start("a", new LinkPeer("b", new Uri($"ws://{listener.Address}")), () => 0);
        await dialer.StartAsync(CancellationToken.None);
        while (!dialer.StatusOf("b").IsUp)
            await Task.Delay(10);
        Console.WriteLine($"{"entry bytes",12} {"messages/s",12} {"MB/s",8} {"messages of the wire/s",24}");
        foreach (int bytes in EntryBytes)
        {
            await MeasureAsync(dialer, bytes, TimeSpan.FromSeconds(1), () => Interlocked.Read(ref received));
            Figures figures = await MeasureAsync(dialer, bytes, TimeSpan.FromSeconds(seconds), () => Interlocked.Read(ref received));
            Console.WriteLine($"{bytes,12} {figures.Messages,12:F0} {figures.Megabytes,8:F0} {figures.WireMessages,24:F0}");
        }
        return 0;
    }

    private static SiloLinks Start(string id, LinkPeer other, Func<long> received) => new(
        new LinkOptions
        {
            ClusterName = "benchmark",
            SiloId = id,
            Secret = new byte[LinkOptions.SecretBytesMin],
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Peers = [other],
        },
        new LinkHandlers { Received = (_, _) => received() }, TimeProvider.System, NullLoggerFactory.Instance);

    private static async Task<Figures> MeasureAsync(SiloLinks links, int bytes, TimeSpan duration, Func<long> received)
    {
        Envelope envelope = Message(bytes);
        LinkStatus before = links.StatusOf("b");
        long receivedBefore = received(), sent = 0, most = bytes > 10_000 ? 256 : 8_192;
        long startedAt = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(startedAt) < duration)
        {
            for (; sent - (received() - receivedBefore) < most; sent++)
                links.Send("b", envelope);
            await Task.Yield();
        }
        double elapsed = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        LinkStatus after = links.StatusOf("b");
        Figures figures = new((received() - receivedBefore) / elapsed,
            (after.BytesSent - before.BytesSent) / elapsed / 1e6, (after.MessagesSent - before.MessagesSent) / elapsed);
        while (received() - receivedBefore < sent)
            await Task.Delay(1);
        return figures;
    }

    private static Envelope Message(int bytes) => new(
        0, new PeerId(1), Guid.Empty, 1, new PeerId(2), 1, new PeerReport(1, 0, 0),
        new Message
        {
            Type = bytes == 0 ? MessageType.Heartbeat : MessageType.App,
            From = new PeerId(1),
            To = new PeerId(2),
            Term = new Term(1),
            Index = 1_795_219_200_000_000,
            Entries = bytes == 0 ? [] : [new Entry(new Term(1), 1_795_219_200_000_001, EntryType.Normal, new byte[bytes])],
        });

    private sealed record Figures(double Messages, double Megabytes, double WireMessages);
}
