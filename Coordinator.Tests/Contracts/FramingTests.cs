using System.Buffers.Binary;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Google.Protobuf;

namespace Coordinator.Tests.Contracts;

public sealed class FramingTests
{
    private readonly byte[] _message = new byte[Limits.MessageBytesMax];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void All_frames_arrive_whole_and_small_ones_in_order(int seed)
    {
        Random random = new(seed);
        OutgoingFrames outgoing = new();
        FrameDecoder<ClientFrame> decoder = FrameDecoder.ForSilo();
        List<ClientFrame> sent = [], received = [];
        for (int step = 0; step < 400; step++)
        {
            if (random.Next(3) > 0)
            {
                int size = random.Next(10) == 0 ? random.Next(Limits.ValueBytesMax + 1) : random.Next(300);
                sent.Add(Put(step + 1, size, random));
                outgoing.Add(sent[^1]);
            }
            else
            {
                Receive(outgoing, decoder, received);
            }
        }
        while (!outgoing.IsEmpty)
            Receive(outgoing, decoder, received);

        Assert.Equal(0, outgoing.PendingBytes);
        Assert.Equal(sent, received.OrderBy(frame => frame.CorrelationId));
        long[] small = [.. received.Where(f => f.CalculateSize() <= FrameLimits.FrameBytesMax).Select(f => f.CorrelationId)];
        Assert.Equal(small.Order(), small);
    }

    /// <summary>The field of a session's watch, within the one of a watch, with a length that no frame can have.</summary>
    [Theory]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0x07 })]
    [InlineData(new byte[] { 0xfc, 0xff, 0xff, 0xff, 0x07 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0x57 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 })]
    public void A_length_beyond_all_bounds_deep_inside_a_frame_is_refused_by_name(byte[] length)
    {
        byte[][] rests = [[], [0x08], [0x08, 0x80], [0x08, 0x80, 0x80], [0xff], [0x0a, 0xff], [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, 0x08]];
        foreach (byte[] rest in rests)
        {
            byte[] watch = [0x1a, .. length, .. rest];
            byte[] frame = [0x42, (byte)watch.Length, .. watch];
            byte[] message = [(byte)frame.Length, 0, 0, 0, .. frame];
            FramingError? error = FrameDecoder.ForSilo().Decode(message, []);
            Assert.Equal(ErrorCode.InvalidRequest, error?.Code);
        }
    }

    [Fact]
    public void A_small_frame_shares_the_next_message_with_a_megabyte_under_way()
    {
        OutgoingFrames outgoing = new();
        FrameDecoder<ClientFrame> decoder = FrameDecoder.ForSilo();
        outgoing.Add(Put(1, Limits.ValueBytesMax, new Random(1)));
        List<ClientFrame> received = [];
        Receive(outgoing, decoder, received);
        ClientFrame keepAlive = new() { CorrelationId = 2, KeepAlive = new SessionKeepAlive { SessionId = 7 } };
        outgoing.Add(keepAlive);

        Receive(outgoing, decoder, received);

        Assert.Equal([keepAlive], received);
    }

    [Fact]
    public void A_large_frame_moves_on_although_small_ones_never_end()
    {
        OutgoingFrames outgoing = new();
        FrameDecoder<ClientFrame> decoder = FrameDecoder.ForSilo();
        ClientFrame large = Put(1, Limits.ValueBytesMax, new Random(1));
        ClientFrame halfMessage = Put(2, FrameLimits.FrameBytesMax - 100, new Random(2));
        outgoing.Add(large);
        List<ClientFrame> received = [];
        int messages = 0;
        while (!received.Contains(large))
        {
            for (int i = 0; i < 3; i++)
                outgoing.Add(halfMessage);
            Receive(outgoing, decoder, received);
            Assert.True(++messages < 100);
        }
        Assert.Contains(halfMessage, received);
    }

    [Fact]
    public void Both_kinds_of_frames_write_a_fragment_the_same_way()
    {
        Fragment piece = new() { Id = 3, Last = true, Data = ByteString.CopyFromUtf8("x") };
        Assert.Equal(
            new ClientFrame { Fragment = piece }.ToByteArray(), new ServerFrame { Fragment = piece }.ToByteArray());
    }

    [Fact]
    public void More_large_frames_than_may_interleave_wait_and_all_arrive()
    {
        OutgoingFrames outgoing = new();
        FrameDecoder<ClientFrame> decoder = FrameDecoder.ForSilo();
        for (int i = 1; i <= 20; i++)
            outgoing.Add(Put(i, Limits.ValueBytesMax, new Random(i)));
        List<ClientFrame> received = [];
        while (!outgoing.IsEmpty)
            Receive(outgoing, decoder, received);
        Assert.Equal(20, received.Count);
    }

    [Fact]
    public void A_frame_of_the_largest_size_goes_as_one_and_a_byte_more_as_fragments()
    {
        int overhead = Put(1, 30_000, new Random(1)).CalculateSize() - 30_000;
        ClientFrame largest = Put(1, FrameLimits.FrameBytesMax - overhead, new Random(1));
        Assert.Equal(FrameLimits.FrameBytesMax, largest.CalculateSize());
        OutgoingFrames outgoing = new();
        outgoing.Add(largest);
        Assert.Equal(Limits.FragmentBytesMax, outgoing.WriteMessage(_message));

        outgoing.Add(Put(1, largest.Command.PutConfig.Value.Length + 1, new Random(1)));
        int written = outgoing.WriteMessage(_message);
        int first = BinaryPrimitives.ReadInt32LittleEndian(_message);
        Assert.True(first <= FrameLimits.FrameBytesMax);
        Assert.True(written > FrameLimits.HeaderBytes + first, "the rest shares the message");
    }

    [Fact]
    public void Unknown_fields_are_dropped()
    {
        // Field 99, varint 1, after a valid frame.
        byte[] frame = [.. Put(1, 1, new Random(1)).ToByteArray(), 0x98, 0x06, 0x01];
        List<ClientFrame> received = [];
        Assert.Null(FrameDecoder.ForSilo().Decode(Framed(frame), received));
        Assert.Equal(Put(1, 1, new Random(1)).ToByteArray(), received[0].ToByteArray());
    }

    public static TheoryData<byte[], ErrorCode> Damaged => new()
    {
        { [], ErrorCode.InvalidRequest },
        { [1], ErrorCode.InvalidRequest },
        { [1, 0, 0], ErrorCode.InvalidRequest },
        { [2, 0, 0, 0, 8], ErrorCode.InvalidRequest },
        { [0xff, 0xff, 0xff, 0xff], ErrorCode.RequestTooLarge },
        { [0xfd, 0x7f, 0, 0, 8], ErrorCode.RequestTooLarge },
        { [1, 0, 0, 0, 8], ErrorCode.InvalidRequest },
        { [2, 0, 0, 0, 0, 0], ErrorCode.InvalidRequest },
        { new byte[Limits.MessageBytesMax + 1], ErrorCode.RequestTooLarge },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void Damaged_messages_are_refused_by_name(byte[] message, ErrorCode code) =>
        Assert.Equal(code, FrameDecoder.ForSilo().Decode(message, [])?.Code);

    [Fact]
    public void A_name_that_is_not_UTF8_does_not_pass_for_another_name()
    {
        // GetLock.name = 0xFF, in Query, in ClientFrame. The protobuf reader puts U+FFFD in its place.
        byte[] frame = [0x22, 5, 0x22, 3, 0x0a, 1, 0xff];
        List<ClientFrame> received = [];
        FramingError? error = FrameDecoder.ForSilo().Decode(Framed(frame), received);
        Assert.True(error is not null || ResourceName.Problem(received[0].Query.GetLock.Name) is not null);
    }

    [Fact]
    public void A_receiver_holds_no_more_than_its_limits()
    {
        Reassembler perFrame = new(new ReassemblyLimits(10, 100));
        Assert.Null(perFrame.Add(Piece(1, 10), out _));
        Assert.Equal(ErrorCode.RequestTooLarge, perFrame.Add(Piece(1, 1), out _)?.Code);

        Reassembler total = new(new ReassemblyLimits(10, 15));
        Assert.Null(total.Add(Piece(1, 10), out _));
        Assert.Null(total.Add(Piece(2, 5), out _));
        Assert.Equal(ErrorCode.RequestTooLarge, total.Add(Piece(2, 1), out _)?.Code);

        Reassembler count = new(new ReassemblyLimits(10, 100));
        for (int id = 0; id < FrameLimits.InterleavedFramesMax; id++)
            Assert.Null(count.Add(Piece(id, 1), out _));
        Assert.Equal(ErrorCode.RequestTooLarge, count.Add(Piece(99, 1), out _)?.Code);
        Assert.Equal(ErrorCode.InvalidRequest, count.Add(Piece(0, 0), out _)?.Code);
    }

    [Fact]
    public void A_completed_frame_gives_its_budget_back()
    {
        Reassembler reassembler = new(new ReassemblyLimits(10, 10));
        for (int round = 0; round < 3; round++)
        {
            Assert.Null(reassembler.Add(Piece(1, 5), out ReadOnlyMemory<byte>? unfinished));
            Assert.Null(unfinished);
            Assert.Null(reassembler.Add(Piece(1, 5, last: true), out ReadOnlyMemory<byte>? completed));
            Assert.Equal(10, completed?.Length);
            Assert.Equal(0, reassembler.PendingBytes);
        }
    }

    [Fact]
    public void A_fragment_inside_fragments_is_refused()
    {
        ClientFrame inner = new() { Fragment = Piece(1, 1, last: true) };
        ClientFrame outer = new() { Fragment = new Fragment { Id = 2, Last = true, Data = inner.ToByteString() } };
        Assert.Equal(
            ErrorCode.InvalidRequest, FrameDecoder.ForSilo().Decode(Framed(outer.ToByteArray()), [])?.Code);
    }

    private void Receive(OutgoingFrames outgoing, FrameDecoder<ClientFrame> decoder, List<ClientFrame> received)
    {
        int written = outgoing.WriteMessage(_message);
        if (written > 0)
            Assert.Null(decoder.Decode(_message.AsSpan(0, written), received));
    }

    private static Fragment Piece(long id, int bytes, bool last = false) =>
        new() { Id = id, Last = last, Data = ByteString.CopyFrom(new byte[bytes]) };

    private static byte[] Framed(byte[] frame)
    {
        byte[] message = new byte[FrameLimits.HeaderBytes + frame.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, frame.Length);
        frame.CopyTo(message, FrameLimits.HeaderBytes);
        return message;
    }

    private static ClientFrame Put(long correlationId, int valueBytes, Random random)
    {
        byte[] value = new byte[valueBytes];
        random.NextBytes(value);
        return new ClientFrame
        {
            CorrelationId = correlationId,
            Command = new Command { PutConfig = new PutConfig { Key = "k", Value = ByteString.CopyFrom(value) } },
        };
    }
}
