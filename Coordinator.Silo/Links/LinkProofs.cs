using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Links;

/// <summary>
/// What one handshake's two sides prove to each other, and the keys that follow from it: HMAC-SHA256, with the cluster's
/// secret, over the very bytes of both opening messages. Those hold a fresh challenge of each side, both silo ids, the
/// cluster and the version, so a proof is good for this handshake alone; and each role has words of its own, so that
/// none is good for the other one.
/// </summary>
internal sealed class LinkProofs
{
    private readonly ReadOnlyMemory<byte> _secret;
    private readonly byte[] _transcript;

    public LinkProofs(ReadOnlyMemory<byte> secret, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> challenge)
    {
        _secret = secret;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, hello);
        Append(hash, challenge);
        _transcript = hash.GetHashAndReset();
    }

    public byte[] OfDialer() => Compute("dialer", []);

    /// <summary>The listener's proof; a refusal is proved too, since one of them ends the dialer's process.</summary>
    public byte[] OfVerdict(LinkVerdict verdict) =>
        Compute("listener", new LinkVerdict { Refusal = verdict.Refusal, Message = verdict.Message }.ToByteArray());

    public LinkSeal SealToListener() => new(Compute("key to listener", []));

    public LinkSeal SealToDialer() => new(Compute("key to dialer", []));

    /// <summary>In constant time: how long a comparison takes must not tell how much of a guess is right.</summary>
    public static bool AreSame(ReadOnlySpan<byte> expected, ByteString given) =>
        CryptographicOperations.FixedTimeEquals(expected, given.Span);

    private byte[] Compute(string role, ReadOnlySpan<byte> more)
    {
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _secret.Span);
        Append(hash, Encoding.ASCII.GetBytes($"coordinator link {LinkLimits.ProtocolVersion} {role}"));
        Append(hash, _transcript);
        Append(hash, more);
        return hash.GetHashAndReset();
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
