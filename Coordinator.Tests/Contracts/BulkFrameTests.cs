using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Google.Protobuf;

namespace Coordinator.Tests.Contracts;

/// <summary>Frames for which no other waits: pages of watches.</summary>
public sealed class BulkFrameTests
{
    private readonly byte[] _message = new byte[Limits.MessageBytesMax];
    private readonly OutgoingFrames _outgoing = new();
    private readonly FrameDecoder<ServerFrame> _decoder = FrameDecoder.ForClient();
    private readonly List<ServerFrame> _received = [];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Bulk_arrives_in_order_whatever_its_sizes_and_all_else_arrives_too(int seed)
    {
        Random random = new(seed);
        List<ServerFrame> pages = [], answers = [];
        for (int step = 0; step < 600; step++)
        {
            int size = random.Next(8) == 0 ? random.Next(Limits.ValueBytesMax + 1) : random.Next(40_000);
            switch (random.Next(4))
            {
                case 0:
                    pages.Add(Page(step, size));
                    _outgoing.AddBulk(pages[^1], pages[^1].CalculateSize());
                    break;
                case 1:
                    answers.Add(Answer(step, size));
                    _outgoing.Add(answers[^1]);
                    break;
                default:
                    Receive();
                    break;
            }
        }
        while (!_outgoing.IsEmpty)
            Assert.True(Receive() > 0, "something waits, and nothing is written");

        Assert.Equal(0, _outgoing.PendingBytes);
        Assert.Equal(pages, _received.Where(frame => frame.WatchPage is not null));
        Assert.Equal(answers, _received.Where(frame => frame.Query is not null).OrderBy(frame => frame.CorrelationId));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(20_000)]
    [InlineData(Limits.ValueBytesMax)]
    public void A_small_frame_goes_with_the_next_message_however_much_bulk_waits(int size)
    {
        for (int i = 1; i <= 100; i++)
            _outgoing.AddBulk(Page(i, size), Page(i, size).CalculateSize());
        Receive();
        ServerFrame answer = Answer(1_000, 10);
        _outgoing.Add(answer);
        Receive();
        Assert.Contains(answer, _received);
    }

    [Fact]
    public void Bulk_moves_on_although_small_and_large_frames_never_end()
    {
        ServerFrame page = Page(1, Limits.ValueBytesMax);
        _outgoing.AddBulk(page, page.CalculateSize());
        ServerFrame large = Answer(2, Limits.ValueBytesMax), halfMessage = Answer(3, FrameLimits.FrameBytesMax - 100);
        for (int messages = 0; !_received.Contains(page); messages++)
        {
            _outgoing.Add(large);
            _outgoing.Add(halfMessage);
            _outgoing.Add(halfMessage);
            Receive();
            Assert.True(messages < 300, "the page never came");
        }
    }

    [Fact]
    public void Bulk_waits_for_a_place_among_the_large_frames_and_gets_the_next()
    {
        for (int i = 1; i <= 10; i++)
            _outgoing.Add(Answer(i, Limits.ValueBytesMax));
        ServerFrame page = Page(11, Limits.ValueBytesMax);
        _outgoing.AddBulk(page, page.CalculateSize());
        // The decoder refuses more frames under way than may be.
        while (!_outgoing.IsEmpty)
            Receive();
        Assert.Equal(11, _received.Count);
        Assert.True(_received.IndexOf(page) < 10, "it came last");
    }

    private int Receive()
    {
        int written = _outgoing.WriteMessage(_message);
        if (written > 0)
            Assert.Null(_decoder.Decode(_message.AsSpan(0, written), _received));
        return written;
    }

    private static ServerFrame Page(long id, int bytes) => new()
    {
        CorrelationId = id,
        WatchPage = new WatchPage { Events = { new ConfigEvent { Entry = Entry(bytes) } } },
    };

    private static ServerFrame Answer(long id, int bytes) =>
        new() { CorrelationId = id, Query = new QueryAnswer { Entries = { Entry(bytes) } } };

    private static ConfigEntry Entry(int bytes) => new() { Key = "k", Value = ByteString.CopyFrom(new byte[bytes]) };
}
