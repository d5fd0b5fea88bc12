using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Coordinator.Grains;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Silo.Links;

namespace Coordinator.Tests.Links;

public sealed class LinkLanesTests
{
    private readonly byte[] _message = new byte[LinkLimits.MessageFramesBytesMax];
    private readonly FrameDecoder<LinkFrame> _decoder = FrameDecoder.ForLink(new ReassemblyLimits(1 << 24, 1 << 25));
    private readonly SnapshotAssembler _assembler = new(1 << 24);
    private readonly List<Envelope> _snapshots = [];
    private readonly LinkLanes _lanes;
    private long _pendingBytes;

    public LinkLanesTests() => _lanes = new LinkLanes
    {
        FrameWritten = (_, bytes) => _pendingBytes -= bytes,
        SnapshotWritten = _snapshots.Add,
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void All_arrives_whole_and_each_kind_in_order(int seed)
    {
        Random random = new(seed);
        List<string> sent = [], received = [];
        for (int step = 0; step < 500; step++)
        {
            if (random.Next(3) == 0)
                Receive(received);
            else
                sent.Add(AddRandom(random, step));
        }
        while (!_lanes.IsEmpty)
            Receive(received);

        Assert.Equal(0, _pendingBytes);
        foreach (string kind in new[] { "append", "small", "bulky", "snapshot" })
            Assert.Equal(sent.Where(item => item.StartsWith(kind, StringComparison.Ordinal)),
                received.Where(item => item.StartsWith(kind, StringComparison.Ordinal)));
        Assert.Equal(sent.Count, received.Count);
    }

    [Fact]
    public void A_heartbeat_leaves_with_the_next_message_whatever_else_is_under_way()
    {
        _lanes.Add(EnvelopeSource.Snapshot(1, new byte[8 << 20]));
        for (int i = 0; i < 20; i++)
            Add(EnvelopeSource.Append(1, i, 1 << 20));
        Add(Bulky(1, 1 << 20));
        List<string> received = [];
        for (long beat = 1; beat <= 50; beat++)
        {
            Add(EnvelopeSource.Small(1, beat));
            Receive(received);
            Assert.Contains($"small {beat}", received);
        }
    }

    [Fact]
    public void Snapshots_appends_and_bulky_requests_take_turns()
    {
        _lanes.Add(EnvelopeSource.Snapshot(1, new byte[1 << 20]));
        Add(EnvelopeSource.Append(1, 1, 1 << 20));
        Add(Bulky(1, 1 << 20));
        List<string> received = [];
        int messages = 0;
        for (; received.Count < 3; messages++)
            Receive(received);
        // Three times 1 MiB, alone: 17 messages each.
        Assert.InRange(messages, 45, 55);
        Assert.InRange(_snapshots.Count, 1, 1);
    }

    [Fact]
    public void Many_small_messages_share_few_messages_of_the_wire()
    {
        for (int i = 0; i < 5000; i++)
            Add(EnvelopeSource.Small(i % 16, i));
        long bytes = _pendingBytes + (5000 * FrameLimits.HeaderBytes);
        List<string> received = [];
        int messages = 0;
        for (; !_lanes.IsEmpty; messages++)
            Receive(received);
        Assert.Equal(5000, received.Count);
        Assert.InRange(messages, 1, (bytes / LinkLimits.MessageFramesBytesMax) + 2);
    }

    [Fact]
    public void A_snapshot_that_is_on_its_way_is_not_sent_again_unless_in_a_later_term()
    {
        Envelope first = EnvelopeSource.Snapshot(1, new byte[1 << 20]);
        Envelope again = EnvelopeSource.Snapshot(1, new byte[1 << 20]);
        Envelope other = EnvelopeSource.Snapshot(2, new byte[10]);
        Envelope later = EnvelopeSource.Snapshot(1, new byte[100], term: 2);
        Assert.Null(_lanes.Add(first));
        Receive([]);
        Assert.Same(again, _lanes.Add(again));
        Assert.Null(_lanes.Add(other));
        Assert.Same(first, _lanes.Add(later));
        List<string> received = [];
        while (!_lanes.IsEmpty)
            Receive(received);
        Assert.Equal([later, other], _snapshots);
        Assert.Equal(["snapshot 100", "snapshot 10"], received);
    }

    [Fact]
    public void A_snapshot_over_the_limit_or_with_chunks_that_do_not_fit_is_refused()
    {
        PeerEnvelope header = EnvelopeCodec.ToWire(EnvelopeSource.Snapshot(1, [1]), withSnapshotData: false);
        AssertRefused(new SnapshotBegin { Id = 1, Bytes = (1 << 24) + 1, Envelope = header }, "limit");
        AssertRefused(new SnapshotBegin { Id = 1, Bytes = -1, Envelope = header }, "limit");
        AssertRefused(new SnapshotBegin { Id = 1, Bytes = 10 }, "without an envelope");
        AssertRefused(new SnapshotBegin
        {
            Id = 1,
            Bytes = 10,
            Envelope = EnvelopeCodec.ToWire(EnvelopeSource.Small(1, 1)),
        }, "data of its own");

        Assert.Null(_assembler.Begin(new SnapshotBegin { Id = 2, Bytes = 4, Envelope = header }, out string? problem));
        Assert.Null(problem);
        _assembler.Add(new SnapshotChunk { Id = 1, Data = Google.Protobuf.ByteString.CopyFrom(1) }, out problem);
        Assert.Contains("not under way", problem, StringComparison.Ordinal);
        _assembler.Add(new SnapshotChunk { Id = 2, Data = Google.Protobuf.ByteString.CopyFrom(new byte[5]) }, out problem);
        Assert.Contains("does not fit", problem, StringComparison.Ordinal);
        _assembler.Add(new SnapshotChunk { Id = 2 }, out problem);
        Assert.Contains("does not fit", problem, StringComparison.Ordinal);
    }

    private void AssertRefused(SnapshotBegin begin, string because)
    {
        Assert.Null(_assembler.Begin(begin, out string? problem));
        Assert.Contains(because, problem, StringComparison.Ordinal);
    }

    private string AddRandom(Random random, int step)
    {
        int size = random.Next(5) == 0 ? random.Next(300_000) : random.Next(300);
        switch (random.Next(6))
        {
            case 0 or 1:
                Add(EnvelopeSource.Append(1, step, size));
                return $"append {step}";
            case 2:
                Add(Bulky(step, 40_000 + size));
                return $"bulky {step}";
            case 3:
                _lanes.Add(EnvelopeSource.Snapshot(step, new byte[size]));
                return $"snapshot {size}";
            default:
                Add(EnvelopeSource.Small(1, step));
                return $"small {step}";
        }
    }

    private static LinkFrame Bulky(int id, int bytes) => new()
    {
        CorrelationId = id,
        Request = new ForwardedRequest
        {
            Command = new Command
            {
                PutConfig = new PutConfig { Key = "k", Value = Google.Protobuf.ByteString.CopyFrom(new byte[bytes]) },
            },
        },
    };

    private void Add(Envelope envelope) => Add(new LinkFrame { Envelope = EnvelopeCodec.ToWire(envelope) });

    private void Add(LinkFrame frame)
    {
        int bytes = frame.CalculateSize();
        _pendingBytes += bytes;
        _lanes.Add(frame, bytes);
    }

    private void Receive(List<string> received)
    {
        List<LinkFrame> frames = [];
        int written = _lanes.WriteMessage(_message);
        if (written == 0)
            return;
        Assert.Null(_decoder.Decode(_message.AsSpan(0, written), frames));
        foreach (LinkFrame frame in frames)
        {
            Envelope? whole = frame.SnapshotBegin is { } begin ? _assembler.Begin(begin, out string? problem)
                : frame.SnapshotChunk is { } chunk ? _assembler.Add(chunk, out problem) : null;
            if (whole is not null)
                received.Add($"snapshot {whole.Message.Snapshot!.Data.Length}");
            else if (frame.Request is not null)
                received.Add($"bulky {frame.CorrelationId}");
            else if (frame.Envelope is { } envelope)
                received.Add($"{(envelope.Message.Type == (int)MessageType.App ? "append" : "small")} {envelope.Message.Index}");
        }
    }
}
