using System.Security.Cryptography;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>The listening side of the handshake, up to the verdict, which is the link's to give.</summary>
internal sealed class LinkListener(LinkContext context)
{
    /// <returns>Null: refused, told so, and logged.</returns>
    public async Task<LinkSession?> ShakeHandsAsync(HandshakeSocket socket, string remote, CancellationToken deadline)
    {
        (LinkFrame? frame, byte[] helloMessage, string? problem) = await socket.ReceiveAsync(deadline);
        if (frame?.Hello is not { } hello)
        {
            problem ??= $"A link begins with a hello, not with {frame?.BodyCase}.";
            return await RefuseAsync(socket, remote, null, (LinkRefusal.BadHandshake, problem), deadline);
        }
        if (LinkRules.Check(hello, context) is { Refusal: not LinkRefusal.Accepted } refusal)
            return await RefuseAsync(socket, remote, hello.FromSilo, refusal, deadline);

        byte[] challengeMessage = await socket.SendAsync(new LinkFrame { Challenge = NewChallenge() }, deadline);
        LinkProofs proofs = new(context.Options.Secret, helloMessage, challengeMessage);
        (frame, _, problem) = await socket.ReceiveAsync(deadline);
        if (frame?.Proof is not { } proof)
        {
            problem ??= $"A challenge is answered by a proof, not by {frame?.BodyCase}.";
            return await RefuseAsync(socket, remote, hello.FromSilo, (LinkRefusal.BadHandshake, problem), deadline);
        }
        if (!LinkProofs.AreSame(proofs.OfDialer(), proof.Proof))
            return await RefuseAsync(socket, remote, hello.FromSilo,
                (LinkRefusal.WrongSecret, "The proof is not that of a silo with this cluster's secret."), deadline);
        return new LinkSession(socket.Socket, hello.FromSilo, hello.Process, hello.Purpose, proofs, IsDialer: false);
    }

    /// <summary>Tells the dialer, who has proved itself, what became of it.</summary>
    public async Task TellAsync(LinkSession session, (LinkRefusal Refusal, string Message) verdict, string remote,
        CancellationToken deadline)
    {
        LinkVerdict told = new() { Refusal = verdict.Refusal, Message = verdict.Message };
        told.Proof = ByteString.CopyFrom(session.Proofs.OfVerdict(told));
        if (verdict.Refusal != LinkRefusal.Accepted)
            Log(remote, session.Silo, verdict);
        await new HandshakeSocket(session.Socket).SendAsync(new LinkFrame { Verdict = told }, deadline);
    }

    private LinkChallenge NewChallenge() => new()
    {
        ProtocolVersion = LinkLimits.ProtocolVersion,
        ClusterName = context.Options.ClusterName,
        ClusterId = context.ClusterId,
        Silo = context.Options.SiloId,
        Process = context.Process,
        Challenge = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(LinkLimits.ChallengeBytes)),
    };

    private async Task<LinkSession?> RefuseAsync(HandshakeSocket socket, string remote, string? silo,
        (LinkRefusal Refusal, string Message) refusal, CancellationToken deadline)
    {
        Log(remote, silo, refusal);
        LinkVerdict told = new() { Refusal = refusal.Refusal, Message = refusal.Message };
        await socket.SendAsync(new LinkFrame { Verdict = told }, deadline);
        return null;
    }

    // The name is a stranger's word: shown only if the configuration knows it.
    private void Log(string remote, string? silo, (LinkRefusal Refusal, string Message) refusal)
    {
        string known = context.Options.Peers.Any(peer => peer.SiloId == silo) ? silo! : "(unknown)";
        if (context.CallerGate.Passes(known, refusal.Refusal))
            context.Log.RefusedCaller(remote, known, refusal.Refusal, refusal.Message);
    }
}
