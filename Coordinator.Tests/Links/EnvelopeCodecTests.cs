using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Raft;
using Coordinator.Replica;
using Google.Protobuf;

namespace Coordinator.Tests.Links;

public sealed class EnvelopeCodecTests
{
    public static TheoryData<MessageType> Types => [.. EnvelopeSource.Types];

    public static TheoryData<MessageType> LocalTypes => [.. Enum.GetValues<MessageType>().Where(type => type.IsLocal())];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_field_of_a_message_arrives_as_it_was_sent(MessageType type)
    {
        Random random = new((int)type);
        for (int i = 0; i < 300; i++)
        {
            Envelope sent = EnvelopeSource.Next(random, type);
            Envelope? received = EnvelopeCodec.Decode(EnvelopeCodec.Encode(sent), out string? problem);
            Assert.Null(problem);
            Assert.Equal(EnvelopeSource.Describe(sent), EnvelopeSource.Describe(received));
        }
    }

    [Fact]
    public void The_random_messages_vary_in_every_field_that_travels()
    {
        Random random = new(1);
        Dictionary<string, HashSet<string>> values = [];
        for (int i = 0; i < 2000; i++)
        {
            Envelope envelope = EnvelopeSource.Next(random, EnvelopeSource.Types[i % EnvelopeSource.Types.Length]);
            foreach ((string path, string value) in EnvelopeSource.Describe(envelope))
                (values.TryGetValue(path, out HashSet<string>? seen) ? seen : values[path] = []).Add(value);
        }
        // None at all has one value only, and responses are of messages to the own storage.
        Assert.Equal([".Message.Snapshot", ".Message.Responses.Count", ".StorageAnswer"], values.Where(field => field.Value.Count == 1)
            .Select(field => field.Key).Where(path => !path.EndsWith(".IsEmpty", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(LocalTypes))]
    public void What_a_peer_says_to_itself_is_neither_sent_nor_taken(MessageType type)
    {
        Assert.Throws<ArgumentException>(() => EnvelopeCodec.Encode(EnvelopeSource.Small(0, 1, type)));
        PeerEnvelope wire = Wire();
        wire.Message.Type = (int)type;
        AssertRefused(wire, type.ToString());
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void An_envelope_cut_short_anywhere_is_refused(MessageType type)
    {
        byte[] bytes = EnvelopeCodec.Encode(EnvelopeSource.Next(new Random(9), type));
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(EnvelopeCodec.Decode(bytes.AsSpan(0, length), out string? problem));
            Assert.NotEmpty(problem!);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_damaged_envelope_is_refused_by_name_or_is_another_whole_one(MessageType type)
    {
        Random random = new((int)type);
        int refused = 0;
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = EnvelopeCodec.Encode(EnvelopeSource.Next(random, type));
            for (int flips = random.Next(4); flips >= 0; flips--)
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            Envelope? read = EnvelopeCodec.Decode(bytes, out string? problem);
            Assert.NotEqual(read is null, problem is null);
            if (read is null)
                refused++;
            else
                Assert.Equal(EnvelopeSource.Describe(read),
                    EnvelopeSource.Describe(EnvelopeCodec.Decode(EnvelopeCodec.Encode(read), out _)));
        }
        Assert.InRange(refused, 1, 2000);
    }

    [Fact]
    public void Numbers_that_no_peer_sends_are_refused_by_name()
    {
        AssertRefused(Changed(wire => wire.Message.Type = 24), "message type 24");
        AssertRefused(Changed(wire => wire.Message.Type = 256 + (int)MessageType.App), "message type");
        AssertRefused(Changed(wire => wire.Message.Type = -1), "message type -1");
        AssertRefused(Changed(wire => wire.Message.Entries[0].Type = 3), "entry type 3");
        AssertRefused(Changed(wire => wire.Message.Entries[0].Index++), "stands at place");
        AssertRefused(Changed(wire => wire.Message.Entries[0].Term = -1), "negative");
        AssertRefused(Changed(wire => wire.Message.Term = -1), "negative");
        AssertRefused(Changed(wire => wire.Epoch = -1), "negative");
        AssertRefused(Changed(wire => wire.To = 0), "from a peer to a peer");
        AssertRefused(Changed(wire => wire.From = PeerId.LocalAppendThread.Value), "from a peer to a peer");
        AssertRefused(Changed(wire => wire.Message.From = PeerId.LocalApplyThread.Value), "no peer");
        AssertRefused(Changed(wire => wire.StorageId = ByteString.CopyFrom(1, 2)), "16 bytes");
        AssertRefused(Changed(wire => wire.Message = null), "no message");
        AssertRefused(Changed(wire => wire.Message.Snapshot = new PeerSnapshot()), "in no other");
        AssertRefused(Changed(wire => wire.Message.Type = (int)MessageType.Snap), "in no other");
    }

    private static PeerEnvelope Wire() => PeerEnvelope.Parser.ParseFrom(EnvelopeCodec.Encode(EnvelopeSource.Append(1, 5, 10)));

    private static PeerEnvelope Changed(Action<PeerEnvelope> change)
    {
        PeerEnvelope wire = Wire();
        change(wire);
        return wire;
    }

    private static void AssertRefused(PeerEnvelope wire, string because)
    {
        Assert.Null(EnvelopeCodec.Decode(wire.ToByteArray(), out string? problem));
        Assert.Contains(because, problem, StringComparison.Ordinal);
    }
}
