using System.Buffers.Binary;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Google.Protobuf;

namespace Coordinator.Tests.Fuzz;

/// <param name="Sent">WebSocket frames as bytes, or what was made of them.</param>
/// <param name="Messages">The binary messages in it, as the silo has to understand them; null when it need not.</param>
/// <param name="Fresh">On a connection of its own, without a hello.</param>
/// <param name="Reads">False: answers are left unread until all has been sent.</param>
/// <param name="Leaves">Ends the connection with a reset once all has been sent.</param>
internal sealed record WireCase(
    byte[] Sent, IReadOnlyList<byte[]>? Messages, bool Fresh = false, bool Reads = true, bool Leaves = false)
{
    public override string ToString() =>
        $"{(Fresh ? "fresh " : "")}{(Reads ? "" : "unread ")}{(Messages is null ? "not messages" : $"{Messages.Count} messages")}, "
        + $"{Sent.Length} bytes: {Convert.ToHexString(Sent.AsSpan(0, Math.Min(Sent.Length, 500)))}";
}

/// <summary>Draws messages of frames, and then breaks the rules of frames, fragments and WebSockets.</summary>
internal sealed class WireCaseSource(Random random, FuzzTarget target)
{
    private readonly MessageSource _messages = new(random, target.Sessions);

    /// <param name="nextId">A correlation id that is not open on the connection, nor are those after it.</param>
    public WireCase Draw(long nextId)
    {
        WireCase drawn = random.Next(100) switch
        {
            < 55 => Whole(Frames(nextId)),
            < 75 => Whole(FuzzValues.Damage(Frames(nextId), random)),
            < 78 => Whole(WrongLength(Frames(nextId))),
            < 84 => Whole([.. Fragments(nextId)]),
            < 87 => Broken(FuzzValues.Damage(RawWebSocket.Frame(Opcode.Binary, Frames(nextId)), random)),
            < 89 => Broken(RawWebSocket.Frame(Opcode.Text, FuzzValues.Bytes(random))),
            < 90 => Broken(RawWebSocket.Frame(Opcode.Binary, new byte[Limits.MessageBytesMax + random.Next(1, 9)])),
            < 91 => Broken(RawWebSocket.Frame(Opcode.Binary, Frames(nextId), fin: false)),
            < 92 => Broken(RawWebSocket.Frame((Opcode)random.Next(16), FuzzValues.Bytes(random), random.OneIn(2))),
            < 93 => Whole([[]]),
            < 96 => Whole([.. Enumerable.Repeat(Frame(new ClientFrame { Hello = _messages.Draw<Hello>() }), random.Next(1, 4))]),
            < 99 => Pieces(Frames(nextId)),
            _ => random.OneIn(20) ? Flood(nextId) : Whole(Abandons()),
        };
        return drawn with { Fresh = random.OneIn(40), Leaves = random.OneIn(40) };
    }

    private static WireCase Whole(params byte[][] messages) =>
        new([.. messages.SelectMany(message => RawWebSocket.Frame(Opcode.Binary, message))], messages);

    private static WireCase Broken(byte[] sent) => new(sent, Messages: null);

    private ClientFrame DrawFrame(long id)
    {
        ClientFrame frame = _messages.Draw<ClientFrame>();
        // Each other leader costs everybody a moment: now and then is enough.
        if (frame.BodyCase == ClientFrame.BodyOneofCase.Cluster && !random.OneIn(10))
            frame.Cluster.Describe = new DescribeGroup();
        if (!random.OneIn(30))
            frame.CorrelationId = id;
        return frame;
    }

    private byte[] Frames(long nextId)
    {
        MemoryStream message = new();
        for (int i = random.Next(1, 5); i > 0; i--)
            message.Write(Frame(DrawFrame(nextId + i)));
        return message.ToArray();
    }

    private static byte[] Frame(ClientFrame frame)
    {
        byte[] bytes = new byte[FrameLimits.HeaderBytes + frame.CalculateSize()];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length - FrameLimits.HeaderBytes);
        frame.WriteTo(bytes.AsSpan(FrameLimits.HeaderBytes));
        return bytes;
    }

    private byte[] WrongLength(byte[] message)
    {
        BinaryPrimitives.WriteInt32LittleEndian(message, (int)FuzzValues.Number(random));
        return message;
    }

    /// <summary>Of one frame or of several, whole or not, in order or not, too many, within each other.</summary>
    private IEnumerable<byte[]> Fragments(long nextId)
    {
        List<Fragment> pieces = [];
        for (int frame = random.OneIn(10) ? 7 : random.Next(1, 4); frame > 0; frame--)
        {
            byte[] whole = DrawFrame(nextId + frame).ToByteArray();
            for (int from = 0, count; from < whole.Length; from += count)
            {
                count = Math.Min(whole.Length - from, random.OneIn(2) ? FrameLimits.FragmentDataBytesMax : random.Next(1, 3000));
                pieces.Add(new Fragment
                {
                    Id = random.OneIn(30) ? FuzzValues.Number(random) : frame,
                    Data = ByteString.CopyFrom(whole, from, count),
                    Last = from + count == whole.Length && !random.OneIn(6),
                });
            }
        }
        if (random.OneIn(3))
            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(pieces));
        return pieces.Select(piece => Frame(new ClientFrame { Fragment = piece }));
    }

    /// <summary>A message in several WebSocket frames, a ping between them.</summary>
    private WireCase Pieces(byte[] message)
    {
        int at = random.Next(message.Length);
        return new WireCase(
            [
                .. RawWebSocket.Frame(Opcode.Binary, message.AsSpan(0, at), fin: false),
                .. RawWebSocket.Frame(Opcode.Ping, new byte[random.Next(126)]),
                .. RawWebSocket.Frame(Opcode.Continuation, message.AsSpan(at)),
            ],
            [message]);
    }

    /// <summary>More requests than may be open, whose answers nobody takes for a while.</summary>
    private WireCase Flood(long nextId)
    {
        IEnumerable<ClientFrame> queries = Enumerable.Range(0, random.Next(1, 4000))
            .Select(i => new ClientFrame { CorrelationId = nextId + i, Query = _messages.Draw<Query>() });
        return Whole([.. queries.Select(Frame)]) with { Reads = false };
    }

    private byte[] Abandons() =>
    [
        .. Enumerable.Range(0, random.Next(1, 200))
            .SelectMany(_ => Frame(new ClientFrame { CorrelationId = FuzzValues.Number(random), Abandon = new Abandon() })),
    ];
}
