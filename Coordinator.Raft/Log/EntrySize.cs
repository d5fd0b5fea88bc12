using System.Numerics;

namespace Coordinator.Raft.Log;

/// <summary>
/// How large entries count for the limits: their payload alone, or encoded. The encoding counted is etcd's protobuf
/// (a tag and a variable-length number for type, term and index, a length before the data), so that limits cut where
/// etcd cuts; a stamp adds a tag and 8 bytes.
/// </summary>
internal static class EntrySize
{
    public static long Encoded(in Entry entry) =>
        2
        + 1 + VarintBytes(entry.Term.Value)
        + 1 + VarintBytes(entry.Index)
        + (entry.Data.Length == 0 ? 0 : 1 + VarintBytes(entry.Data.Length) + entry.Data.Length)
        + (entry.Stamp == 0 ? 0 : 9);

    public static long Encoded(ReadOnlySpan<Entry> entries)
    {
        long bytes = 0;
        foreach (ref readonly Entry entry in entries)
        {
            bytes += Encoded(entry);
        }

        return bytes;
    }

    public static long Payload(ReadOnlySpan<Entry> entries)
    {
        long bytes = 0;
        foreach (ref readonly Entry entry in entries)
        {
            bytes += entry.Data.Length;
        }

        return bytes;
    }

    private static int VarintBytes(long value) => (BitOperations.Log2((ulong)value | 1) / 7) + 1;
}
