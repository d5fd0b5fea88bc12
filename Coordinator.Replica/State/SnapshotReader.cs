using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>
/// Reads what <see cref="SnapshotWriter"/> wrote. Invariant: nothing is read past the end, and no length is believed
/// before so many bytes are known to be there; whatever is wrong is an <see cref="InvalidDataException"/>.
/// </summary>
internal sealed class SnapshotReader
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlyMemory<byte> _data;
    private int _position;

    private SnapshotReader(ReadOnlyMemory<byte> data) => _data = data;

    /// <summary>Opens a snapshot whose checksum is right.</summary>
    public static SnapshotReader Open(ReadOnlyMemory<byte> data)
    {
        if (data.Length < sizeof(uint))
            throw new InvalidDataException($"A snapshot of {data.Length} bytes is too short to be one.");
        ReadOnlyMemory<byte> body = data[..^sizeof(uint)];
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(data.Span[body.Length..]);
        uint computed = Crc32C.End(Crc32C.Add(Crc32C.Start, body.Span));
        return stored == computed
            ? new SnapshotReader(body)
            : throw new InvalidDataException(
                $"The snapshot of {data.Length} bytes is damaged: its CRC-32C is {computed:x8}, it says {stored:x8}.");
    }

    [DoesNotReturn]
    public void Fail(string what) =>
        throw new InvalidDataException($"The snapshot is wrong before byte {_position}: {what}");

    public void Require([DoesNotReturnIf(false)] bool condition, string what)
    {
        if (!condition)
            Fail(what);
    }

    public byte Byte(string field) => Take(1, field)[0];

    public bool Flag(string field)
    {
        byte value = Byte(field);
        Require(value <= 1, $"{field} is {value}, neither 0 nor 1.");
        return value == 1;
    }

    public int Int32(string field) => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int), field));

    public long Int64(string field) => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long), field));

    /// <summary>A number from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public long Int64(string field, long min, long max)
    {
        long value = Int64(field);
        if (value < min || value > max)
            Fail($"{field} is {value}, not between {min} and {max}.");
        return value;
    }

    /// <summary>A number of things that follow, at most <paramref name="max"/>: bounds a loop, allocates nothing.</summary>
    public int Count(string field, int max)
    {
        int value = Int32(field);
        if (value < 0 || value > max)
            Fail($"{field} is {value}, not between 0 and {max}.");
        return value;
    }

    public UInt128 UInt128(string field)
    {
        ulong low = (ulong)Int64(field);
        return new UInt128((ulong)Int64(field), low);
    }

    public Guid Guid(string field) => new(Take(16, field), bigEndian: true);

    public string Text(string field)
    {
        ReadOnlySpan<byte> bytes = Bytes(field, Limits.LabelBytesMax);
        string text = "";
        try
        {
            text = Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            Fail($"{field} is not UTF-8.");
        }
        return text;
    }

    public ReadOnlySpan<byte> Bytes(string field, int max) => Take(Count(field, max), field);

    public void End() => Require(_position == _data.Length, $"{_data.Length - _position} bytes follow its end.");

    private ReadOnlySpan<byte> Take(int bytes, string field)
    {
        if (_data.Length - _position < bytes)
            Fail($"it ends within {field}.");
        ReadOnlySpan<byte> taken = _data.Span.Slice(_position, bytes);
        _position += bytes;
        return taken;
    }
}
