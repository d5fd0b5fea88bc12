using System.Buffers.Binary;
using System.Net.WebSockets;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Google.Protobuf;
using Xunit.Abstractions;

namespace Coordinator.Tests.Silo;

/// <summary>Damaged messages, thousands of them, against a real server: each is answered, or refused by name.</summary>
public sealed class WireFuzzTests(ITestOutputHelper output) : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Damaged_frames_are_answered_or_refused_by_name(int seed)
    {
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        int refused = 0, answered = 0;
        WireTestClient client = await _silo.ConnectAsync();
        for (int i = 0; i < 2000; i++)
        {
            await client.SendMessageAsync(Damage(Message(i + 1, random), random));
            // A marker whose answer shows that the message before it was digested.
            long marker = 1_000_000_000 + i;
            await SendMarkerAsync(client, marker);
            if (await EndsByNameAsync(client, marker))
            {
                refused++;
                client.Dispose();
                client = await _silo.ConnectAsync();
            }
            else
            {
                answered++;
            }
        }
        client.Dispose();
        output.WriteLine($"{answered} messages answered, {refused} refused");
        Assert.True(answered > 100 && refused > 100, $"{answered} answered, {refused} refused: the damage is one-sided");
    }

    private static async Task SendMarkerAsync(WireTestClient client, long marker)
    {
        try
        {
            await client.SendAsync(WireConnectionTests.KeepAlive(marker, 1));
        }
        catch (WebSocketException)
        {
            // It has been refused already; what was sent before that is still to be read.
        }
    }

    /// <returns>False when the marker was answered, true when the connection ended with a failure that has a code.</returns>
    private static async Task<bool> EndsByNameAsync(WireTestClient client, long marker)
    {
        ServerFrame? frame = await client.ReceiveAsync();
        while (frame is not null)
        {
            Assert.NotEqual(ErrorCode.Internal, frame.Command?.Result.Error ?? ErrorCode.Ok);
            Assert.NotEqual(ErrorCode.OutcomeUnknown, frame.Command?.Result.Error ?? ErrorCode.Ok);
            Assert.NotEqual(ErrorCode.Internal, frame.Query?.Error ?? ErrorCode.Ok);
            if (frame.BodyCase == ServerFrame.BodyOneofCase.Failure)
            {
                Assert.Contains(frame.Failure.Code, new[] { ErrorCode.InvalidRequest, ErrorCode.RequestTooLarge });
                Assert.Null(await client.ReceiveAsync());
                return true;
            }
            if (frame.CorrelationId == marker)
                return false;
            frame = await client.ReceiveAsync();
        }
        Assert.Fail("The silo closed without saying why.");
        return true;
    }

    private static byte[] Message(int id, Random random)
    {
        OutgoingFrames frames = new();
        long unique = id * 10L;
        for (int i = random.Next(1, 4); i > 0; i--)
            frames.Add(random.Next(8) switch
            {
                0 => WireConnectionTests.Put(unique + i, new byte[random.Next(200)]),
                1 => WireConnectionTests.Get(unique + i),
                2 => WireConnectionTests.KeepAlive(unique + i, random.Next(200)),
                3 => WireConnectionTests.Acquire(unique + i, random.Next(200), 0),
                4 => new ClientFrame { CorrelationId = unique, Abandon = new Abandon() },
                5 => new ClientFrame { CorrelationId = unique + i, Query = new Query { ListLocks = new ListLocks { Prefix = "p" } } },
                6 => new ClientFrame
                {
                    CorrelationId = unique + i,
                    Command = new Command
                    {
                        CreateSession = new CreateSession { TtlUs = 1_000_000, Nonce = ByteString.CopyFrom(new byte[16]), Metadata = "m" },
                    },
                },
                _ => new ClientFrame
                {
                    Fragment = new Fragment { Id = unique, Last = true, Data = WireConnectionTests.Get(unique + i).ToByteString() },
                },
            });
        byte[] message = new byte[Limits.MessageBytesMax];
        return message[..frames.WriteMessage(message)];
    }

    private static byte[] Damage(byte[] message, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                message[random.Next(message.Length)] ^= (byte)(1 << random.Next(8));
                return message;
            case 1:
                return message[..random.Next(1, message.Length)];
            case 2:
                BinaryPrimitives.WriteInt32LittleEndian(message, random.Next(-10, 100_000));
                return message;
            case 3:
                int at = random.Next(message.Length);
                return [.. message[..at], (byte)random.Next(256), .. message[at..]];
            case 4:
                random.NextBytes(message.AsSpan(random.Next(message.Length)));
                return message;
            default:
                // Inside a frame only, its length right: what is damaged is the protobuf.
                int length = BinaryPrimitives.ReadInt32LittleEndian(message);
                if (length > 0)
                    message[FrameLimits.HeaderBytes + random.Next(length)] = (byte)random.Next(256);
                return message;
        }
    }
}
