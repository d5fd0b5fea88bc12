using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Coordinator.Silo.Links;

/// <summary>
/// What follows the frames of each message in one direction of a link: proof that a silo that knows the secret has sent
/// exactly these bytes, on this link, as its next message. So whoever only passes bytes on cannot change, repeat, leave
/// out or send back one. Not thread-safe.
/// </summary>
internal sealed class LinkSeal(byte[] key) : IDisposable
{
    public const int Bytes = 16;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
    private readonly byte[] _whole = new byte[HMACSHA256.HashSizeInBytes];
    private readonly byte[] _number = new byte[sizeof(long)];
    private long _messages;

    public void Write(ReadOnlySpan<byte> frames, Span<byte> seal) => Next(frames).CopyTo(seal);

    public bool Fits(ReadOnlySpan<byte> frames, ReadOnlySpan<byte> seal) =>
        CryptographicOperations.FixedTimeEquals(Next(frames), seal);

    public void Dispose() => _hash.Dispose();

    private ReadOnlySpan<byte> Next(ReadOnlySpan<byte> frames)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_number, ++_messages);
        _hash.AppendData(_number);
        _hash.AppendData(frames);
        _hash.GetHashAndReset(_whole);
        return _whole.AsSpan(0, Bytes);
    }
}
