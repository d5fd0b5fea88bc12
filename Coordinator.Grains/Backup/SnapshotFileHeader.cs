using System.Buffers.Binary;
using Coordinator.Replica;

namespace Coordinator.Grains.Backup;

/// <summary>
/// What a snapshot file says before the state's bytes: fixed places, little-endian, the cluster id in the order of its
/// text. A released version of it never changes.
/// </summary>
public sealed record SnapshotFileHeader
{
    public const int Bytes = 88;

    public const int FormatVersion = 1;

    public required Guid ClusterId { get; init; }

    public required int Group { get; init; }

    public required int FeatureLevel { get; init; }

    public required long Index { get; init; }

    public required long Term { get; init; }

    public required long Revision { get; init; }

    /// <summary>The group's own clock, microseconds.</summary>
    public required long LogTimeUs { get; init; }

    /// <summary>Of the state that follows.</summary>
    public required long StateBytes { get; init; }

    private static ReadOnlySpan<byte> Magic => "Coordinator snapshot"u8;

    public static SnapshotFileHeader Of(SavedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new SnapshotFileHeader
        {
            ClusterId = state.ClusterId,
            Group = state.Group,
            FeatureLevel = state.FeatureLevel,
            Index = state.Index,
            Term = state.Term.Value,
            Revision = state.Revision,
            LogTimeUs = state.LogTimeUs,
            StateBytes = state.Bytes.Length,
        };
    }

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), FormatVersion);
        ClusterId.TryWriteBytes(bytes.AsSpan(24), bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), Group);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(44), FeatureLevel);
        long[] numbers = [Index, Term, Revision, LogTimeUs, StateBytes];
        for (int i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(48 + (i * sizeof(long))), numbers[i]);
        return bytes;
    }

    /// <exception cref="InvalidDataException">It is another kind of file, or of a later program.</exception>
    public static SnapshotFileHeader Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Bytes)
            throw new InvalidDataException($"it has {bytes.Length} bytes, fewer than the {Bytes} that it begins with");
        if (!bytes.StartsWith(Magic))
            throw new InvalidDataException("it is no snapshot file: it begins otherwise");
        int version = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        if (version != FormatVersion)
            throw new InvalidDataException($"its format version is {version}, and this program knows {FormatVersion}: use a later one");
        long Number(ReadOnlySpan<byte> all, int i) => BinaryPrimitives.ReadInt64LittleEndian(all[(48 + (i * sizeof(long)))..]);
        return new SnapshotFileHeader
        {
            ClusterId = new Guid(bytes[24..40], bigEndian: true),
            Group = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]),
            FeatureLevel = BinaryPrimitives.ReadInt32LittleEndian(bytes[44..]),
            Index = Number(bytes, 0),
            Term = Number(bytes, 1),
            Revision = Number(bytes, 2),
            LogTimeUs = Number(bytes, 3),
            StateBytes = Number(bytes, 4),
        };
    }
}
