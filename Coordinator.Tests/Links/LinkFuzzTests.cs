using System.Net.WebSockets;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Links;

public sealed class LinkFuzzTests
{
    [Fact]
    public async Task Strangers_who_say_anything_are_refused_and_the_links_go_on()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        Random random = new(1);
        byte[] hello = new LinkFrame { Hello = RawLink.Hello() }.ToByteArray();
        for (int i = 0; i < 150; i++)
        {
            using RawLink stranger = await RawLink.ConnectAsync(silos[1].Links.Address);
            if (random.Next(3) == 0)
            {
                await stranger.SendAsync(new LinkFrame { Hello = RawLink.Hello() });
                Assert.NotNull((await stranger.ReceiveAsync()).Frame?.Challenge);
            }
            bool isText = random.Next(10) == 0;
            await stranger.SendBytesAsync(
                Garbage(random, hello), isText ? WebSocketMessageType.Text : WebSocketMessageType.Binary);
            (LinkFrame? answer, _) = await stranger.ReceiveAsync();
            // A change in the stranger's own challenge is none that matters; text that is none ends the WebSocket itself.
            Assert.True(answer?.Verdict is { Refusal: not LinkRefusal.Accepted } || answer?.Challenge is not null
                || (isText && answer is null), $"{i}: {answer}");
        }
        silos[0].Links.Send("b", EnvelopeSource.Small(1, 5));
        await LinkedCluster.UntilAsync(() => silos[1].Received.Count == 1);
        Assert.Equal(["up a"], silos[1].Events);
        Assert.DoesNotContain(silos[1].Log, line => line.Contains("failed in this silo", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bytes_that_were_changed_on_their_way_never_become_a_message()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        Random random = new(2);
        int changed = 0;
        cluster.Relay("a", "b").Tamper = (bytes, count) =>
        {
            if (random.Next(40) != 0)
                return;
            bytes[random.Next(count)] ^= (byte)(1 << random.Next(8));
            Interlocked.Increment(ref changed);
        };
        long index = 0;
        await LinkedCluster.UntilAsync(() =>
        {
            silos[0].Links.Send("b", EnvelopeSource.Append(1, ++index, 500));
            return Volatile.Read(ref changed) >= 20 && silos[1].Events.Count > 10;
        });
        cluster.Relay("a", "b").Tamper = null;
        cluster.Relay("a", "b").Cut();
        long last = index;
        await LinkedCluster.UntilAsync(() =>
        {
            silos[0].Links.Send("b", EnvelopeSource.Append(1, ++index, 500));
            return silos[1].Received.LastOrDefault().Envelope?.Message.Index > last;
        });
        Assert.All(silos[1].Received, item => Assert.Equal(
            EnvelopeSource.Describe(EnvelopeSource.Append(1, item.Envelope.Message.Index, 500)),
            EnvelopeSource.Describe(item.Envelope)));
        Assert.True(silos[1].Logged("seal does not fit"));
    }

    private static byte[] Garbage(Random random, byte[] hello)
    {
        byte[] framed = [.. BitConverter.GetBytes(hello.Length), .. hello];
        switch (random.Next(4))
        {
            case 0:
                byte[] noise = new byte[random.Next(1, 6000)];
                random.NextBytes(noise);
                return noise;
            case 1:
                return framed[..random.Next(1, framed.Length)];
            case 2:
                return [.. framed, .. framed];
            default:
                framed[random.Next(framed.Length)] ^= (byte)(1 << random.Next(8));
                return framed;
        }
    }
}
