using System.Security.Cryptography;
using Coordinator.Grains.Backup;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Tests.Backup;

/// <summary>The file's format, and that no damage to it goes unnoticed.</summary>
public sealed class SnapshotFileTests
{
    // Of the state with a key, a session and a lock: it may never change, or files that are kept can't be read any more.
    private const string HeaderOfFormat1 =
        "436F6F7264696E61746F7220736E617073686F74" // "Coordinator snapshot"
        + "01000000" // format version
        + "8C1F6A520F0E4BB49B2E1DE7A3A6A001" // cluster id
        + "03000000" // group
        + "03000000" // feature level
        + "EB03000000000000" // index 1003
        + "0300000000000000" // term
        + "F501000000000000" // revision 501
        + "80841E0000000000"; // log time, 2 s

    [Fact]
    public void The_header_of_format_1_is_what_it_was()
    {
        SavedState saved = SavedStates.Small();
        byte[] file = SavedStates.FileOf(saved);
        Assert.Equal(HeaderOfFormat1, Convert.ToHexString(file[..80]));
        Assert.Equal(saved.Bytes.Length, BitConverter.ToInt64(file, 80));
        Assert.Equal(88, SnapshotFileHeader.Bytes);
        Assert.Equal(SHA256.HashData(file[..^32]), file[^32..]);
        Assert.Equal(SnapshotFile.LengthOf(saved), file.Length);
    }

    [Fact]
    public void What_was_written_is_read_again()
    {
        SavedState saved = SavedStates.Small();
        var read = SnapshotFile.Parse(SavedStates.FileOf(saved));
        Assert.Equal(SnapshotFileHeader.Of(saved), read.Header);
        Assert.Equal(saved.Bytes.ToArray(), SavedStates.Of(read.State).Bytes.ToArray());
        StateContents contents = StateContents.Of(read.State);
        Assert.Equal((1, 1, 1), (contents.Keys, contents.Sessions, contents.Holdings));
    }

    [Fact]
    public void A_file_larger_than_a_piece_is_whole_too()
    {
        var group = new State.Group();
        for (int i = 0; i < 20; i++)
            group.Put($"key-{i}", new string('x', 10_000));
        SavedState saved = SavedStates.Of(group.State);
        Assert.True(SnapshotFile.PiecesOf(saved).Count() > 4);
        Assert.Equal(20, StateContents.Of(SnapshotFile.Parse(SavedStates.FileOf(saved)).State).Keys);
    }

    [Fact]
    public void Every_flipped_bit_is_noticed()
    {
        byte[] file = SavedStates.FileOf(SavedStates.Small());
        for (int i = 0; i < file.Length; i++)
        {
            byte[] damaged = [.. file];
            damaged[i] ^= (byte)(1 << (i % 8));
            Assert.Throws<InvalidDataException>(() => SnapshotFile.Parse(damaged));
        }
    }

    [Fact]
    public void Every_truncation_and_every_addition_is_noticed()
    {
        byte[] file = SavedStates.FileOf(SavedStates.Small());
        for (int length = 0; length < file.Length; length++)
            Assert.Throws<InvalidDataException>(() => SnapshotFile.Parse(file.AsMemory(0, length)));
        Assert.Throws<InvalidDataException>(() => SnapshotFile.Parse((byte[])[.. file, 0]));
    }

    [Theory]
    [InlineData(24)] // cluster id
    [InlineData(40)] // group
    [InlineData(44)] // feature level
    [InlineData(48)] // index
    [InlineData(56)] // term
    [InlineData(64)] // revision
    [InlineData(72)] // log time
    public void A_header_of_another_state_is_refused_though_the_checksum_is_right(int at)
    {
        byte[] file = SavedStates.FileOf(SavedStates.Small());
        file[at] ^= 1;
        var refused = Assert.Throws<InvalidDataException>(() => SnapshotFile.Parse(Sealed(file)));
        Assert.Contains("not what it holds", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_is_named()
    {
        byte[] file = SavedStates.FileOf(SavedStates.Small());
        Assert.Contains("no snapshot file", MessageOf(new byte[200]), StringComparison.Ordinal);
        Assert.Contains("SHA-256", MessageOf(With(file, 200)), StringComparison.Ordinal);
        byte[] later = [.. file];
        later[20] = 2;
        Assert.Contains("format version is 2", MessageOf(Sealed(later)), StringComparison.Ordinal);
        Assert.Contains("state cannot be read", MessageOf(Sealed(With(file, 200))), StringComparison.Ordinal);
    }

    private static string MessageOf(byte[] file) => Assert.Throws<InvalidDataException>(() => SnapshotFile.Parse(file)).Message;

    private static byte[] With(byte[] file, int flipped)
    {
        byte[] changed = [.. file];
        changed[flipped] ^= 1;
        return changed;
    }

    private static byte[] Sealed(byte[] file) => [.. file[..^32], .. SHA256.HashData(file[..^32])];
}
