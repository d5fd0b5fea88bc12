using System.Buffers.Binary;
using System.Numerics;

namespace Coordinator.Grains.Storage;

/// <summary>
/// CRC-32C over the fields of a row, its key included (rule 9). Invariant: fields of fixed length, or led by their
/// length, in one fixed order, so that two different rows of a table never give the same bytes. Stored as a signed
/// integer.
/// </summary>
internal struct RowChecksum
{
    private uint _crc;

    /// <param name="kind">What the checksum covers: equal fields of two kinds give different sums.</param>
    public RowChecksum(RowKind kind) => _crc = BitOperations.Crc32C(uint.MaxValue, (byte)kind);

    public readonly int Value => unchecked((int)~_crc);

    public RowChecksum Add(long field)
    {
        _crc = BitOperations.Crc32C(_crc, unchecked((ulong)field));
        return this;
    }

    public RowChecksum Add(Guid field)
    {
        Span<byte> bytes = stackalloc byte[16];
        field.TryWriteBytes(bytes, bigEndian: true, out _);
        AddBytes(bytes);
        return this;
    }

    public RowChecksum Add(ReadOnlySpan<byte> field)
    {
        Add(field.Length);
        AddBytes(field);
        return this;
    }

    private void AddBytes(ReadOnlySpan<byte> bytes)
    {
        uint crc = _crc;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte one in bytes)
        {
            crc = BitOperations.Crc32C(crc, one);
        }

        _crc = crc;
    }
}

/// <summary>What a checksum covers. Stored: a number is never given another meaning.</summary>
internal enum RowKind : byte
{
    Cluster = 1,
    PeerIdentity = 2,
    PeerState = 3,
    PeerSnapshot = 4,
    PeerLog = 5,
    Log = 6,
    SnapshotChunk = 7,
    PeerAddition = 8,
    Silo = 9,
    Sightings = 10,
    WitnessFile = 11,
    WitnessMark = 12,
    Restored = 13,
    WitnessVerdict = 14,
}
