using System.Collections;
using System.Globalization;
using System.Reflection;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Tests.Links;

/// <summary>Random envelopes of each kind that peers send each other, and all that is in one, as text.</summary>
internal static class EnvelopeSource
{
    /// <summary>What a peer sends to another one.</summary>
    public static readonly MessageType[] Types = [.. Enum.GetValues<MessageType>().Where(type => !type.IsLocal())];

    public static Envelope Next(Random random, MessageType type) => new(
        random.Next(100), Peer(random), RandomGuid(random), Number(random), Peer(random), Number(random),
        new PeerReport(random.Next(10), Number(random), (ulong)random.NextInt64(long.MinValue, long.MaxValue)),
        NextMessage(random, type))
    {
        CommitIndex = Number(random),
        CommitTerm = new Term(Number(random)),
        PromisedWriteSeq = Number(random),
        AtRest = random.Next(2) == 0,
        StorageAnswer = type == MessageType.StorageAnswer
            ? new StorageAnswer(Number(random), Number(random), Number(random), Peers(random), Peers(random))
            : null,
    };

    public static Envelope Small(int group, long index, MessageType type = MessageType.Heartbeat) => new(
        group, new PeerId(1), Guid.Empty, 1, new PeerId(2), 1, new PeerReport(1, 0, 0),
        new Message { Type = type, From = new PeerId(1), To = new PeerId(2), Term = new Term(1), Index = index });

    public static Envelope Append(int group, long index, int bytes) => Small(group, index) with
    {
        Message = new Message
        {
            Type = MessageType.App,
            From = new PeerId(1),
            To = new PeerId(2),
            Term = new Term(1),
            Index = index,
            Entries = [new Entry(new Term(1), index + 1, EntryType.Normal, new byte[bytes])],
        },
    };

    public static Envelope Snapshot(int group, byte[] data, long term = 1, long to = 2) => Small(group, 0) with
    {
        To = new PeerId(to),
        Message = new Message
        {
            Type = MessageType.Snap,
            From = new PeerId(1),
            To = new PeerId(to),
            Term = new Term(term),
            Snapshot = new Snapshot(7, new Term(1), new ConfState { Voters = [new PeerId(1), new PeerId(to)] }, data),
        },
    };

    /// <summary>Each property's path and value, found by reflection: what is added later is compared too.</summary>
    public static IEnumerable<(string Path, string Value)> Describe(object? value, string path = "")
    {
        if (value is null or string || value.GetType().IsPrimitive || value is Enum or Guid or Term or PeerId)
            return [(path, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "null")];
        if (value is ReadOnlyMemory<byte> bytes)
            return [(path, Convert.ToHexString(bytes.Span))];
        if (value is IEnumerable items)
            return items.Cast<object>().SelectMany(item => Describe(item, path + "[]"))
                .Prepend((path + ".Count", items.Cast<object>().Count().ToString(CultureInfo.InvariantCulture)));
        return value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .SelectMany(property => Describe(property.GetValue(value), $"{path}.{property.Name}"));
    }

    private static Message NextMessage(Random random, MessageType type)
    {
        long index = Number(random);
        return new Message
        {
            Type = type,
            To = Peer(random),
            From = Peer(random),
            Term = new Term(Number(random)),
            LogTerm = new Term(Number(random)),
            Index = index,
            Entries = Entries(random, index),
            Commit = Number(random),
            Vote = Peer(random),
            Snapshot = type == MessageType.Snap ? NextSnapshot(random) : null,
            Reject = random.Next(2) == 0,
            RejectHint = Number(random),
            Context = Bytes(random, 40),
        };
    }

    private static EntrySlice Entries(Random random, long index)
    {
        Entry[] entries = new Entry[random.Next(5)];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new Entry(new Term(Number(random)), index + i + 1, (EntryType)random.Next(3), Bytes(random, 100),
                Number(random));
        }
        return new EntrySlice(entries, 0, entries.Length);
    }

    private static Snapshot NextSnapshot(Random random) => new(
        Number(random), new Term(Number(random)),
        new ConfState
        {
            Voters = Peers(random),
            Learners = Peers(random),
            VotersOutgoing = Peers(random),
            LearnersNext = Peers(random),
            AutoLeave = random.Next(2) == 0,
        },
        Bytes(random, 500));

    private static PeerId[] Peers(Random random) => [.. Enumerable.Range(0, random.Next(4)).Select(_ => Peer(random))];

    private static PeerId Peer(Random random) => new(1 + random.NextInt64(long.MaxValue - 2));

    // Small ones, usual ones and the largest.
    private static long Number(Random random) => random.Next(4) switch
    {
        0 => 0,
        1 => random.Next(1000),
        2 => random.NextInt64(1_795_219_200_000_000),
        _ => long.MaxValue - 10,
    };

    private static byte[] Bytes(Random random, int most)
    {
        byte[] bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static Guid RandomGuid(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
