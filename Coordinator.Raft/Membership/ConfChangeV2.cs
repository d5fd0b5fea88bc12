using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Coordinator.Raft;

/// <summary>
/// Any number of changes that take effect together. In the log as <see cref="EntryType.ConfChangeV2"/>.
/// The empty change leaves a joint configuration; its encoding is no bytes at all, so no size limit can refuse it.
/// </summary>
public sealed record ConfChangeV2
{
    private const byte Format = 1;
    private const int HeaderBytes = 4;
    private const int ChangeBytes = 9;

    public ConfChangeTransition Transition { get; init; }

    public IReadOnlyList<ConfChangeSingle> Changes { get; init; } = [];

    /// <summary>The application's own, carried and not read.</summary>
    public ReadOnlyMemory<byte> Context { get; init; }

    /// <summary>Leaves a joint configuration.</summary>
    public bool LeavesJoint => Transition == ConfChangeTransition.Auto && Changes.Count == 0;

    /// <summary>Enters a joint configuration.</summary>
    public bool EntersJoint => Transition != ConfChangeTransition.Auto || Changes.Count > 1;

    /// <summary>The leader leaves the joint configuration by itself.</summary>
    public bool AutoLeaves => EntersJoint && Transition != ConfChangeTransition.JointExplicit;

    /// <summary>
    /// Format, transition, count (2 bytes), then type and peer (8 bytes, little-endian) each, then context.
    /// </summary>
    public ReadOnlyMemory<byte> Encode()
    {
        if (LeavesJoint && Context.IsEmpty)
        {
            return default;
        }

        byte[] bytes = new byte[HeaderBytes + (Changes.Count * ChangeBytes) + Context.Length];
        bytes[0] = Format;
        bytes[1] = (byte)Transition;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), checked((ushort)Changes.Count));
        int at = HeaderBytes;
        foreach (ConfChangeSingle change in Changes)
        {
            bytes[at] = (byte)change.Type;
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 1), change.Peer.Value);
            at += ChangeBytes;
        }

        Context.Span.CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    /// <exception cref="FormatException">The bytes aren't what <see cref="Encode"/> wrote.</exception>
    public static ConfChangeV2 Decode(ReadOnlyMemory<byte> data) =>
        TryDecode(data, out ConfChangeV2? change)
            ? change
            : throw new FormatException($"{data.Length} bytes that are no membership change of format {Format}.");

    /// <summary>False if the bytes aren't what <see cref="Encode"/> wrote.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> data, [NotNullWhen(true)] out ConfChangeV2? change)
    {
        change = data.IsEmpty ? new ConfChangeV2() : null;
        ReadOnlySpan<byte> bytes = data.Span;
        if (bytes.Length < HeaderBytes || bytes[0] != Format || bytes[1] > (byte)ConfChangeTransition.JointExplicit)
        {
            return change is not null;
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        int contextAt = HeaderBytes + (count * ChangeBytes);
        if (bytes.Length < contextAt || !TryDecodeChanges(bytes[HeaderBytes..contextAt], out var changes))
        {
            return false;
        }

        change = new ConfChangeV2
        {
            Transition = (ConfChangeTransition)bytes[1],
            Changes = changes,
            Context = data[contextAt..],
        };
        return true;
    }

    public override string ToString() => $"{Transition} [{string.Join(' ', Changes)}]";

    private static bool TryDecodeChanges(ReadOnlySpan<byte> bytes, out ConfChangeSingle[] changes)
    {
        changes = new ConfChangeSingle[bytes.Length / ChangeBytes];
        for (int i = 0; i < changes.Length; i++)
        {
            ReadOnlySpan<byte> one = bytes.Slice(i * ChangeBytes, ChangeBytes);
            if (one[0] > (byte)ConfChangeType.AddLearnerNode)
            {
                return false;
            }

            PeerId peer = new(BinaryPrimitives.ReadInt64LittleEndian(one[1..]));
            changes[i] = new ConfChangeSingle((ConfChangeType)one[0], peer);
        }

        return true;
    }
}
