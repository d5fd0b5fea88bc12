using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Silo.Links;
using Google.Protobuf;

namespace Coordinator.Tests.Links;

/// <summary>What a caller who knows the secret may and may not say on an open link.</summary>
public sealed class OpenLinkTests : IAsyncLifetime
{
    private LinkedCluster _cluster = null!;
    private LinkedSilo _b = null!;
    private LinkedSilo _c = null!;

    public async Task InitializeAsync() => (_cluster, _b, _c) = await StartAsync();

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    public static TheoryData<string, LinkFrame[]> Nonsense => new()
    {
        { "A frame Hello does not belong", [new LinkFrame { Hello = RawLink.Hello() }] },
        { "A frame None does not belong", [new LinkFrame { CorrelationId = 1 }] },
        { "not under way", [new LinkFrame { SnapshotChunk = new SnapshotChunk { Id = 1, Data = ByteString.CopyFrom(1) } }] },
        { "the limit is", [new LinkFrame { SnapshotBegin = new SnapshotBegin { Id = 1, Bytes = long.MaxValue } }] },
        { "without an envelope", [new LinkFrame { SnapshotBegin = new SnapshotBegin { Id = 1, Bytes = 5 } }] },
        { "carries no data", [new LinkFrame { Fragment = new Fragment { Id = 1 } }] },
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task Nonsense_ends_the_link_by_name_and_no_other(string because, LinkFrame[] frames)
    {
        using RawLink a = await RawLink.ConnectAsync(_b.Links.Address);
        await a.SendSealedAsync(await OpenAsync(a), frames);
        await LinkedCluster.UntilAsync(() => _b.Events.Contains("lost a"));
        Assert.True(_b.Logged(because), string.Join('\n', _b.Log));
        _b.Links.Send("c", EnvelopeSource.Small(1, 1));
        await LinkedCluster.UntilAsync(() => _c.Received.Count == 1);
        Assert.DoesNotContain("lost c", _b.Events);
    }

    [Fact]
    public async Task A_message_is_good_once()
    {
        using RawLink a = await RawLink.ConnectAsync(_b.Links.Address);
        LinkSeal seal = await OpenAsync(a);
        LinkFrame frame = new() { Envelope = EnvelopeCodec.ToWire(EnvelopeSource.Small(1, 7)) };
        byte[] message = new byte[FrameLane.WriteFrame(frame, frame.CalculateSize(), new byte[1000]) + LinkSeal.Bytes];
        FrameLane.WriteFrame(frame, frame.CalculateSize(), message);
        seal.Write(message.AsSpan(0, message.Length - LinkSeal.Bytes), message.AsSpan(message.Length - LinkSeal.Bytes));
        await a.SendBytesAsync(message);
        await LinkedCluster.UntilAsync(() => _b.Received.Count == 1);
        await a.SendBytesAsync(message);
        await LinkedCluster.UntilAsync(() => _b.Events.Contains("lost a"));
        Assert.True(_b.Logged("seal does not fit"));
        Assert.Single(_b.Received);
    }

    [Fact]
    public async Task What_the_other_side_said_cannot_be_handed_back_to_it()
    {
        using RawLink a = await RawLink.ConnectAsync(_b.Links.Address);
        await OpenAsync(a);
        byte[] said = await a.ReceiveBytesAsync();
        Assert.NotEmpty(said);
        await a.SendBytesAsync(said);
        await LinkedCluster.UntilAsync(() => _b.Events.Contains("lost a"));
        Assert.True(_b.Logged("seal does not fit"));
    }

    private static async Task<(LinkedCluster Cluster, LinkedSilo B, LinkedSilo C)> StartAsync()
    {
        LinkedCluster cluster = new("a", "b", "c");
        LinkedSilo b = await cluster.StartAsync("b"), c = await cluster.StartAsync("c");
        await LinkedCluster.UntilLinkedAsync(b, c);
        return (cluster, b, c);
    }

    private static async Task<LinkSeal> OpenAsync(RawLink caller)
    {
        (LinkVerdict? verdict, LinkProofs proofs) =
            await caller.ShakeHandsAsync(RawLink.Hello(), "a secret of the tests' own");
        Assert.Equal(LinkRefusal.Accepted, verdict?.Refusal);
        return proofs.SealToListener();
    }
}
