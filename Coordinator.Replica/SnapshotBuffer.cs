using System.Buffers;

namespace Coordinator.Replica;

/// <summary>
/// Takes up a snapshot's bytes in one array about as long as they are: it starts a little over the length that is
/// expected, which is that of the one before, and what is far too long is copied. The bytes stay in memory until the
/// next snapshot, for whoever has to be sent them, so that their slack would be kept too.
/// </summary>
internal static class SnapshotBuffer
{
    private const int StartBytes = 64 * 1024;

    public static ReadOnlyMemory<byte> Write(int expectedBytes, Action<IBufferWriter<byte>> write)
    {
        int capacity = (int)Math.Min(Array.MaxLength, expectedBytes + (expectedBytes / 8L) + StartBytes);
        var bytes = new ArrayBufferWriter<byte>(capacity);
        write(bytes);
        bool isSlack = bytes.Capacity - bytes.WrittenCount > StartBytes + (bytes.WrittenCount / 4);
        return isSlack ? bytes.WrittenSpan.ToArray() : bytes.WrittenMemory;
    }
}
