using System.Buffers.Binary;
using System.Numerics;

namespace Coordinator.Replica.State;

/// <summary>
/// A 64-bit hash of a sequence of numbers, texts and bytes: the same in every process and on every machine, unlike
/// those of the runtime. Finds replicas that differ by a fault (rule 9); resists nobody who builds collisions.
/// </summary>
internal struct StateHash(ulong value)
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;

    public ulong Value { get; private set; } = value;

    public static ulong Of(string text)
    {
        var hash = new StateHash(Prime1);
        hash.Add(text);
        return hash.Value;
    }

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = new StateHash(Prime2);
        hash.Add(bytes);
        return hash.Value;
    }

    public void Add(ulong word)
    {
        ulong mixed = (Value ^ BitOperations.RotateLeft(word * Prime2, 31)) * Prime1;
        Value = mixed ^ (mixed >> 29);
    }

    public void Add(long word) => Add((ulong)word);

    public void Add(string text)
    {
        Add((ulong)text.Length);
        ulong word = 0;
        for (int i = 0; i < text.Length; i++)
        {
            word = (word << 16) | text[i];
            if ((i & 3) == 3)
                Add(word);
        }
        if ((text.Length & 3) != 0)
            Add(word);
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Add((ulong)bytes.Length);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            Add(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        ulong word = 0;
        foreach (byte b in bytes)
            word = (word << 8) | b;
        if (!bytes.IsEmpty)
            Add(word);
    }
}
