using System.Net.WebSockets;
using System.Security.Cryptography;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>What came of a dial. A closed set.</summary>
internal abstract record DialOutcome
{
    private DialOutcome()
    {
    }

    /// <summary>Both sides have proved themselves, and the other one agrees. Of a knock the socket is closed already.</summary>
    internal sealed record Agreed(LinkSession Session) : DialOutcome;

    /// <param name="Proved">By a silo that knows the secret; or this silo is the one that refuses.</param>
    internal sealed record Refused(LinkRefusal Refusal, string Message, bool Proved) : DialOutcome;

    internal sealed record NotReached(string Reason) : DialOutcome;
}

/// <summary>
/// The dialling side of the handshake. It proves itself first, to whoever listens at the configured address; a listener's
/// proof comes only after that, so that a stranger is given nothing to guess the secret from.
/// </summary>
internal sealed class LinkDialer(LinkContext context, LinkPeer peer)
{
    private const string Path = "/v1/link";

    public async Task<DialOutcome> DialAsync(CancellationToken stopping)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using ITimer timer = context.Time.CreateTimer(
            _ => deadline.Cancel(), null, context.Options.HandshakeTimeout, Timeout.InfiniteTimeSpan);
        ClientWebSocket socket = new();
        DialOutcome outcome = new DialOutcome.NotReached("It took too long.");
        try
        {
            await ConnectAsync(socket, deadline.Token);
            outcome = await ShakeHandsAsync(new HandshakeSocket(socket), deadline.Token);
        }
        catch (Exception e) when (LinkConnection.IsLost(e) || e is HttpRequestException)
        {
            if (!deadline.IsCancellationRequested)
                outcome = new DialOutcome.NotReached(e.InnerException?.Message ?? e.Message);
        }
        finally
        {
            if (outcome is not DialOutcome.Agreed { Session.Purpose: LinkPurpose.OpenLink })
            {
                socket.Abort();
                socket.Dispose();
            }
        }
        return outcome;
    }

    private async Task ConnectAsync(ClientWebSocket socket, CancellationToken deadline)
    {
        // The link has pings of its own. A proxy that is meant for browsing has no business between silos.
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        using SocketsHttpHandler handler = new() { UseProxy = false };
        context.Options.SecureDialer?.Invoke(handler);
        using HttpMessageInvoker invoker = new(handler);
        await socket.ConnectAsync(new Uri(peer.Address, Path), invoker, deadline);
    }

    private async Task<DialOutcome> ShakeHandsAsync(HandshakeSocket socket, CancellationToken deadline)
    {
        LinkHello hello = NewHello();
        byte[] helloMessage = await socket.SendAsync(new LinkFrame { Hello = hello }, deadline);
        (LinkFrame? frame, byte[] challengeMessage, string? problem) = await socket.ReceiveAsync(deadline);
        if (problem is not null)
            return Refuse(LinkRefusal.BadHandshake, problem);
        if (frame!.Verdict is { } early)
            return new DialOutcome.Refused(early.Refusal, early.Message, Proved: false);
        if (frame.Challenge is not { } challenge)
            return Refuse(LinkRefusal.BadHandshake, $"A hello is answered by a challenge, not by {frame.BodyCase}.");
        if (LinkRules.Check(challenge, peer.SiloId, context) is { Refusal: not LinkRefusal.Accepted } refusal)
            return Refuse(refusal.Refusal, refusal.Message);

        LinkProofs proofs = new(context.Options.Secret, helloMessage, challengeMessage);
        LinkProof proof = new() { Proof = ByteString.CopyFrom(proofs.OfDialer()) };
        await socket.SendAsync(new LinkFrame { Proof = proof }, deadline);
        (frame, _, problem) = await socket.ReceiveAsync(deadline);
        if (problem is not null)
            return Refuse(LinkRefusal.BadHandshake, problem);
        if (frame!.Verdict is not { } verdict)
            return Refuse(LinkRefusal.BadHandshake, $"A proof is answered by a verdict, not by {frame.BodyCase}.");
        bool proved = LinkProofs.AreSame(proofs.OfVerdict(verdict), verdict.Proof);
        if (verdict.Refusal != LinkRefusal.Accepted)
            return new DialOutcome.Refused(verdict.Refusal, verdict.Message, proved);
        return proved
            ? new DialOutcome.Agreed(new LinkSession(
                socket.Socket, peer.SiloId, challenge.Process, hello.Purpose, proofs, IsDialer: true))
            : Refuse(LinkRefusal.WrongSecret, $"Whoever listens at {peer.Address} does not know the cluster's secret.");
    }

    private LinkHello NewHello() => new()
    {
        ProtocolVersion = LinkLimits.ProtocolVersion,
        Purpose = LinkRules.Opens(context.Options.SiloId, peer.SiloId) ? LinkPurpose.OpenLink : LinkPurpose.Knock,
        ClusterName = context.Options.ClusterName,
        ClusterId = context.ClusterId,
        FromSilo = context.Options.SiloId,
        ToSilo = peer.SiloId,
        Process = context.Process,
        Challenge = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(LinkLimits.ChallengeBytes)),
    };

    private static DialOutcome.Refused Refuse(LinkRefusal refusal, string message) => new(refusal, message, Proved: false);
}
