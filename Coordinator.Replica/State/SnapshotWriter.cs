using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// The primitives of a snapshot: little-endian numbers of fixed width, texts and bytes with their length before them,
/// and at the end a CRC-32C of all before. Without an output it only computes <see cref="Hash"/>.
/// </summary>
/// <remarks>Pieces always have the same size, so that the hash is one of the bytes and not of how they were cut.</remarks>
internal sealed class SnapshotWriter(IBufferWriter<byte>? output)
{
    private const int PieceBytes = 16 * 1024;

    private readonly byte[] _piece = new byte[PieceBytes];
    private int _used;
    private uint _crc = Crc32C.Start;
    private StateHash _hash = new(0);

    /// <summary>Of all bytes but the trailer; only after <see cref="Finish"/>.</summary>
    public ulong Hash => _hash.Value;

    public void Byte(byte value) => Write([value]);

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Write(bytes);
    }

    public void Int64(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        Write(bytes);
    }

    public void UInt128(UInt128 value)
    {
        Int64((long)(ulong)value);
        Int64((long)(ulong)(value >> 64));
    }

    public void Guid(Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        Write(bytes);
    }

    /// <summary>A name or label: the rules have bounded it to <see cref="Limits.LabelBytesMax"/>.</summary>
    public void Text(string value)
    {
        Span<byte> bytes = stackalloc byte[Limits.LabelBytesMax];
        Bytes(bytes[..Encoding.UTF8.GetBytes(value, bytes)]);
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        Write(value);
    }

    public void Finish()
    {
        Flush();
        Span<byte> trailer = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32C.End(_crc));
        output?.Write(trailer);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > PieceBytes - _used)
        {
            int fits = PieceBytes - _used;
            bytes[..fits].CopyTo(_piece.AsSpan(_used));
            _used = PieceBytes;
            Flush();
            bytes = bytes[fits..];
        }
        bytes.CopyTo(_piece.AsSpan(_used));
        _used += bytes.Length;
    }

    private void Flush()
    {
        ReadOnlySpan<byte> piece = _piece.AsSpan(0, _used);
        _crc = Crc32C.Add(_crc, piece);
        _hash.Add(piece);
        output?.Write(piece);
        _used = 0;
    }
}

/// <summary>CRC-32C (Castagnoli): finds every flipped bit and every burst of up to 32 bits.</summary>
internal static class Crc32C
{
    public const uint Start = uint.MaxValue;

    public static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    public static uint End(uint crc) => ~crc;
}
