using System.Net.WebSockets;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>What a handshake has found out about the other side, which has proved that it knows the secret.</summary>
internal sealed record LinkSession(
    WebSocket Socket, string Silo, ByteString Process, LinkPurpose Purpose, LinkProofs Proofs, bool IsDialer)
{
    public LinkSocket Seal() => IsDialer
        ? new LinkSocket(Socket, Proofs.SealToListener(), Proofs.SealToDialer())
        : new LinkSocket(Socket, Proofs.SealToDialer(), Proofs.SealToListener());
}
