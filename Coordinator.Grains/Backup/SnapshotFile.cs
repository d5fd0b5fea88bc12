using System.Security.Cryptography;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains.Backup;

/// <summary>
/// A group's snapshot as a file: header, the state's bytes, SHA-256 of both. Invariant of one that was read: the checksum
/// is right, the state is whole, and it is what the header says.
/// </summary>
public sealed class SnapshotFile
{
    /// <summary>What is sent or written at a time.</summary>
    private const int PieceBytes = 64 * 1024;

    private SnapshotFile(SnapshotFileHeader header, CoordinationState state, byte[] sha256)
    {
        Header = header;
        State = state;
        Sha256 = sha256;
    }

    public SnapshotFileHeader Header { get; }

    public CoordinationState State { get; }

    /// <summary>As it stands at the file's end.</summary>
    public ReadOnlyMemory<byte> Sha256 { get; }

    public static long LengthOf(SavedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return SnapshotFileHeader.Bytes + (long)state.Bytes.Length + SHA256.HashSizeInBytes;
    }

    /// <summary>The file's bytes, in order; they are made as they are taken, and the state's are not copied.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> PiecesOf(SavedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] header = SnapshotFileHeader.Of(state).ToBytes();
        hash.AppendData(header);
        yield return header;
        for (int start = 0; start < state.Bytes.Length; start += PieceBytes)
        {
            ReadOnlyMemory<byte> piece = state.Bytes.Slice(start, Math.Min(PieceBytes, state.Bytes.Length - start));
            hash.AppendData(piece.Span);
            yield return piece;
        }
        yield return hash.GetHashAndReset();
    }

    /// <exception cref="InvalidDataException">It is damaged, or no such file; the message names what is wrong.</exception>
    public static SnapshotFile Parse(ReadOnlyMemory<byte> bytes)
    {
        var header = SnapshotFileHeader.Parse(bytes.Span);
        // Compared by subtraction: a damaged length could be any number.
        long rest = bytes.Length - (long)SnapshotFileHeader.Bytes - SHA256.HashSizeInBytes;
        if (header.StateBytes != rest)
            throw new InvalidDataException($"it says that it holds {header.StateBytes} bytes of state, and there are {rest}");
        ReadOnlySpan<byte> stored = bytes.Span[^SHA256.HashSizeInBytes..];
        if (!stored.SequenceEqual(SHA256.HashData(bytes.Span[..^SHA256.HashSizeInBytes])))
            throw new InvalidDataException("it is damaged: its SHA-256 is another one than it says");
        ReadOnlyMemory<byte> stateBytes = bytes.Slice(SnapshotFileHeader.Bytes, (int)rest);
        CoordinationState state = ReadState(stateBytes);
        var found = SnapshotFileHeader.Of(new SavedState(
            state.Membership.ClusterId, state.Membership.Group, state.AppliedIndex, state.AppliedTerm, state.Revision,
            state.LogTimeUs, state.FeatureLevel, stateBytes));
        return found == header
            ? new SnapshotFile(header, state, stored.ToArray())
            : throw new InvalidDataException("what it says at its beginning is not what it holds");
    }

    private static CoordinationState ReadState(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return CoordinationState.ReadSnapshot(bytes);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"its state cannot be read: {e.Message}", e);
        }
    }
}
