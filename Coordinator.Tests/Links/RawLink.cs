using System.Net;
using System.Net.WebSockets;
using System.Text;
using Coordinator.Contracts;
using Coordinator.Silo.Links;
using Google.Protobuf;

namespace Coordinator.Tests.Links;

/// <summary>A caller at a link listener that may say anything.</summary>
internal sealed class RawLink : IDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly HandshakeSocket _handshake;

    private RawLink() => _handshake = new HandshakeSocket(_socket);

    public static async Task<RawLink> ConnectAsync(IPEndPoint listener)
    {
        RawLink link = new();
        await link._socket.ConnectAsync(new Uri($"ws://{listener}/v1/link"), CancellationToken.None);
        return link;
    }

    public static LinkHello Hello(string from = "a", string to = "b") => new()
    {
        ProtocolVersion = LinkLimits.ProtocolVersion,
        Purpose = LinkRules.Opens(from, to) ? LinkPurpose.OpenLink : LinkPurpose.Knock,
        ClusterName = "test",
        FromSilo = from,
        ToSilo = to,
        Process = ByteString.CopyFrom(new byte[LinkLimits.ProcessBytes]),
        Challenge = ByteString.CopyFrom(new byte[LinkLimits.ChallengeBytes]),
    };

    public Task<byte[]> SendAsync(LinkFrame frame) => _handshake.SendAsync(frame, CancellationToken.None);

    public async Task SendBytesAsync(byte[] message, WebSocketMessageType type = WebSocketMessageType.Binary) =>
        await _socket.SendAsync(message.AsMemory(), type, endOfMessage: true, CancellationToken.None);

    /// <returns>The next frame, and the bytes of its message; no frame at the connection's end.</returns>
    public async Task<(LinkFrame? Frame, byte[] Message)> ReceiveAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        try
        {
            (LinkFrame? frame, byte[] message, _) = await _handshake.ReceiveAsync(patience.Token);
            return (frame, message);
        }
        catch (WebSocketException)
        {
            return (null, []);
        }
    }

    /// <summary>The listener refuses for this reason, says so, and closes.</summary>
    public async Task AssertRefusedAsync(LinkRefusal refusal)
    {
        LinkVerdict? verdict = (await ReceiveAsync()).Frame?.Verdict;
        Assert.NotNull(verdict);
        Assert.Equal(refusal, verdict.Refusal);
        Assert.NotEmpty(verdict.Message);
        Assert.True(verdict.Proof.IsEmpty);
        Assert.Null((await ReceiveAsync()).Frame);
    }

    /// <summary>A whole handshake with a secret, and whatever was answered to its proof.</summary>
    public async Task<(LinkVerdict? Verdict, LinkProofs Proofs)> ShakeHandsAsync(LinkHello hello, string secret)
    {
        byte[] helloMessage = await SendAsync(new LinkFrame { Hello = hello });
        (LinkFrame? challenge, byte[] challengeMessage) = await ReceiveAsync();
        Assert.NotNull(challenge?.Challenge);
        LinkProofs proofs = new(Encoding.UTF8.GetBytes(secret), helloMessage, challengeMessage);
        await SendAsync(new LinkFrame { Proof = new LinkProof { Proof = ByteString.CopyFrom(proofs.OfDialer()) } });
        return ((await ReceiveAsync()).Frame?.Verdict, proofs);
    }

    /// <summary>A message with the seal that belongs to it.</summary>
    public Task SendSealedAsync(LinkSeal seal, params LinkFrame[] frames)
    {
        byte[] message = new byte[LinkLimits.MessageFramesBytesMax + LinkSeal.Bytes];
        int count = 0;
        foreach (LinkFrame frame in frames)
            count += FrameLane.WriteFrame(frame, frame.CalculateSize(), message.AsSpan(count));
        seal.Write(message.AsSpan(0, count), message.AsSpan(count, LinkSeal.Bytes));
        return SendBytesAsync(message[..(count + LinkSeal.Bytes)]);
    }

    /// <returns>The bytes of the next message, or none at the connection's end.</returns>
    public async Task<byte[]> ReceiveBytesAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        try
        {
            return (await LinkSocket.ReceiveAsync(_socket, new byte[Limits.MessageBytesMax], patience.Token)).Bytes.ToArray();
        }
        catch (WebSocketException)
        {
            return [];
        }
    }

    public void Dispose() => _socket.Dispose();
}
