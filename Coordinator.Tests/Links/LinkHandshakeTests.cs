using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Contracts;
using Coordinator.Silo.Links;
using Google.Protobuf;

namespace Coordinator.Tests.Links;

public sealed class LinkHandshakeTests
{
    private const string Secret = "a secret of the tests' own";

    [Fact]
    public async Task A_silo_with_another_secret_is_refused_by_name_and_others_are_unharmed()
    {
        await using LinkedCluster cluster = new("a", "b", "c");
        LinkedSilo a = await cluster.StartAsync("a"), c = await cluster.StartAsync("c");
        LinkedSilo b = await cluster.StartAsync("b", options => options with { Secret = Encoding.UTF8.GetBytes("another secret, as long") });
        await LinkedCluster.UntilLinkedAsync(a, c);
        await LinkedCluster.UntilAsync(() => a.Logged("names itself silo b, for WrongSecret")
            && b.Logged("names itself silo a, for WrongSecret") && b.Logged("Silo c refused this one for WrongSecret"));
        Assert.False(b.IsUp("a") || b.IsUp("c"));
        // Nobody can prove that he is the one who refuses, so no process is told to stop.
        Assert.Empty(b.Refused);
        Assert.Single(a.Log, line => line.Contains("names itself silo b", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_cluster_is_refused_by_its_name_and_by_its_id()
    {
        await using LinkedCluster cluster = new("a", "b", "c");
        LinkedSilo a = await cluster.StartAsync("a"), b = await cluster.StartAsync("b", options => options with { ClusterName = "other" });
        await LinkedCluster.UntilAsync(() => b.Logged("for WrongCluster") && a.Logged("for WrongCluster"));
        Assert.False(a.IsUp("b"));

        a.Links.ClusterId = Guid.NewGuid();
        LinkedSilo c = await cluster.StartAsync("c");
        await LinkedCluster.UntilLinkedAsync(a, c);
        c.Links.ClusterId = Guid.NewGuid();
        cluster.Relay("a", "c").Cut();
        await LinkedCluster.UntilAsync(() => c.Logged("yet they are two"));
        Assert.False(a.IsUp("c"));
        c.Links.ClusterId = a.Links.ClusterId;
        await LinkedCluster.UntilLinkedAsync(a, c);
    }

    [Fact]
    public async Task Each_wrong_word_of_a_hello_is_refused_by_name()
    {
        await using LinkedCluster cluster = new("a", "b", "c");
        LinkedSilo b = await cluster.StartAsync("b");
        foreach ((LinkRefusal refusal, Action<LinkHello> change) in new (LinkRefusal, Action<LinkHello>)[]
        {
            (LinkRefusal.WrongVersion, hello => hello.ProtocolVersion = LinkLimits.ProtocolVersion + 1),
            (LinkRefusal.WrongCluster, hello => hello.ClusterName = "other"),
            (LinkRefusal.WrongSilo, hello => hello.ToSilo = "c"),
            (LinkRefusal.UnknownSilo, hello => hello.FromSilo = "x"),
            (LinkRefusal.UnknownSilo, hello => hello.FromSilo = "b"),
            (LinkRefusal.BadHandshake, hello => hello.Purpose = LinkPurpose.Knock),
            (LinkRefusal.BadHandshake, hello => hello.Purpose = (LinkPurpose)7),
            (LinkRefusal.BadHandshake, hello => hello.Challenge = ByteString.CopyFrom(1)),
            (LinkRefusal.BadHandshake, hello => hello.Process = ByteString.Empty),
        })
        {
            using RawLink caller = await RawLink.ConnectAsync(b.Links.Address);
            LinkHello hello = RawLink.Hello();
            change(hello);
            await caller.SendAsync(new LinkFrame { Hello = hello });
            await caller.AssertRefusedAsync(refusal);
        }
    }

    [Fact]
    public async Task The_right_proof_is_accepted_and_the_listener_proves_itself_too()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo b = await cluster.StartAsync("b");
        using RawLink caller = await RawLink.ConnectAsync(b.Links.Address);
        (LinkVerdict? verdict, LinkProofs proofs) = await caller.ShakeHandsAsync(RawLink.Hello(), Secret);
        Assert.Equal(LinkRefusal.Accepted, verdict!.Refusal);
        Assert.Equal(proofs.OfVerdict(verdict), verdict.Proof.ToByteArray());
        Assert.NotEqual(proofs.OfDialer(), proofs.OfVerdict(verdict));

        using RawLink stranger = await RawLink.ConnectAsync(b.Links.Address);
        (verdict, _) = await stranger.ShakeHandsAsync(RawLink.Hello(), Secret + "?");
        Assert.Equal((LinkRefusal.WrongSecret, true), (verdict!.Refusal, verdict.Proof.IsEmpty));
    }

    [Fact]
    public async Task All_that_a_silo_has_said_is_of_no_use_when_it_is_said_again()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo[] silos = await cluster.StartAllAsync();
        byte[] said = cluster.Relay("a", "b").Said;

        using TcpClient replay = new();
        await replay.ConnectAsync(silos[1].Links.Address);
        await replay.GetStream().WriteAsync(said);
        await LinkedCluster.UntilAsync(() => silos[1].Logged("names itself silo a, for WrongSecret"));

        Assert.Equal(["up a"], silos[1].Events);
        Assert.True(said.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Secret)) < 0);
    }

    [Fact]
    public async Task A_listener_that_hands_back_what_it_is_told_is_not_believed()
    {
        await using LinkedCluster cluster = new("a", "b");
        int reflected = 0;
        await using FakeListener mirror = await FakeListener.StartAsync(async socket =>
        {
            LinkHello hello = (await socket.ReceiveAsync(CancellationToken.None)).Frame!.Hello;
            await socket.SendAsync(new LinkFrame
            {
                Challenge = new LinkChallenge
                {
                    ProtocolVersion = hello.ProtocolVersion,
                    ClusterName = hello.ClusterName,
                    Silo = hello.ToSilo,
                    Process = hello.Process,
                    Challenge = hello.Challenge,
                },
            }, CancellationToken.None);
            LinkProof proof = (await socket.ReceiveAsync(CancellationToken.None)).Frame!.Proof;
            await socket.SendAsync(new LinkFrame { Verdict = new LinkVerdict { Proof = proof.Proof } }, CancellationToken.None);
            Interlocked.Increment(ref reflected);
        });
        cluster.Relay("a", "b").Target = mirror.Address;
        LinkedSilo a = await cluster.StartAsync("a");
        await LinkedCluster.UntilAsync(() => Volatile.Read(ref reflected) > 2);
        await LinkedCluster.UntilAsync(() => a.Logged("does not know the cluster's secret"));
        Assert.Empty(a.Events);
    }

    [Fact]
    public async Task A_silo_cannot_be_used_against_itself()
    {
        // The caller passes what the silo's own dialer says back to the silo's own listener.
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo? a = null;
        int tried = 0;
        await using FakeListener between = await FakeListener.StartAsync(async socket =>
        {
            LinkFrame hello = (await socket.ReceiveAsync(CancellationToken.None)).Frame!;
            using RawLink back = await RawLink.ConnectAsync(a!.Links.Address);
            await back.SendAsync(hello);
            LinkVerdict? verdict = (await back.ReceiveAsync()).Frame?.Verdict;
            Assert.Equal(LinkRefusal.WrongSilo, verdict?.Refusal);
            Interlocked.Increment(ref tried);
        });
        a = await cluster.StartAsync("a");
        cluster.Relay("a", "b").Target = between.Address;
        await LinkedCluster.UntilAsync(() => Volatile.Read(ref tried) > 0);
    }

    [Fact]
    public async Task A_stranger_cannot_make_a_silo_believe_that_its_id_is_taken()
    {
        await using LinkedCluster cluster = new("a", "b");
        await using FakeListener stranger = await FakeListener.StartAsync(async socket =>
        {
            await socket.ReceiveAsync(CancellationToken.None);
            await socket.SendAsync(new LinkFrame
            {
                Verdict = new LinkVerdict { Refusal = LinkRefusal.SiloIdTaken, Message = "Go.", Proof = ByteString.CopyFrom(new byte[32]) },
            }, CancellationToken.None);
        });
        cluster.Relay("a", "b").Target = stranger.Address;
        LinkedSilo a = await cluster.StartAsync("a");
        await LinkedCluster.UntilAsync(() => a.Logged("SiloIdTaken"));
        Assert.Empty(a.Refused);
    }

    [Fact]
    public async Task The_listener_knows_one_path_and_only_WebSockets_without_an_origin()
    {
        await using LinkedCluster cluster = new("a", "b");
        LinkedSilo b = await cluster.StartAsync("b");
        using HttpClient client = new() { BaseAddress = new Uri($"http://{b.Links.Address}") };
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v1/connect")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v1/link/")).StatusCode);
        Assert.Equal(HttpStatusCode.UpgradeRequired, (await client.GetAsync("/v1/link")).StatusCode);
        using HttpRequestMessage page = new(HttpMethod.Get, "/v1/link");
        page.Headers.Add("Origin", "http://127.0.0.1");
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(page)).StatusCode);
    }

    [Fact]
    public void Options_that_cannot_be_are_refused()
    {
        LinkOptions options = new LinkedCluster("a", "b").Options("a");
        options.Check();
        Assert.Contains("16 bytes", Refusal(options with { Secret = new byte[15] }), StringComparison.Ordinal);
        Assert.Contains("other", Refusal(options with { SiloId = "b" }), StringComparison.Ordinal);
        Assert.Contains("same id", Refusal(options with { Peers = [.. options.Peers, .. options.Peers] }), StringComparison.Ordinal);
        Assert.Contains("ws://", Refusal(options with { Peers = [new LinkPeer("b", new Uri("http://b"))] }), StringComparison.Ordinal);
    }

    private static string Refusal(LinkOptions options) => Assert.Throws<ArgumentException>(options.Check).Message;
}
