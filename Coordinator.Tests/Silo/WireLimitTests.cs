using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Coordinator.Contracts;
using Coordinator.Contracts.Framing;
using Google.Protobuf;

namespace Coordinator.Tests.Silo;

public sealed class WireLimitTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync(options =>
    {
        options.OpenRequestsPerConnectionMax = 3;
        options.SessionsPerConnectionMax = 2;
        options.OutgoingBytesMax = 4 * 1024 * 1024;
        options.PingInterval = TimeSpan.FromMilliseconds(200);
        options.PingTimeout = TimeSpan.FromSeconds(1);
    });

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    public static TheoryData<string, ClientFrame> UnusableFirstFrames => new()
    {
        { "not a hello", WireConnectionTests.Get(1) },
        { "another version", new ClientFrame { Hello = new Hello { ProtocolVersion = 2 } } },
        { "a name that is none", new ClientFrame { Hello = new Hello { ProtocolVersion = 1, ClientName = "a\nb" } } },
        { "nothing", new ClientFrame { CorrelationId = 1 } },
    };

    [Theory]
    [MemberData(nameof(UnusableFirstFrames))]
    public async Task A_connection_that_does_not_begin_with_a_good_hello_is_refused(string why, ClientFrame frame)
    {
        Assert.NotEmpty(why);
        using WireTestClient client = new(await _silo.OpenSocketAsync());
        await client.SendAsync(frame);
        await client.AssertRefusedAsync(ErrorCode.InvalidRequest, WebSocketCloseStatus.PolicyViolation);
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_closed()
    {
        using WireTestClient client = new(await _silo.OpenSocketAsync());
        await Assert.ThrowsAsync<WebSocketException>(client.ReceiveAsync);
    }

    [Fact]
    public async Task A_connection_whose_client_answers_no_ping_is_closed()
    {
        using TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, _silo.Address.Port);
        NetworkStream stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET /v1/connect HTTP/1.1\r\nHost: 127.0.0.1:{_silo.Address.Port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
        byte[] hello = new ClientFrame { Hello = new Hello { ProtocolVersion = 1 } }.ToByteArray();
        // A final binary frame, masked with zeros: what a client has to send, written by hand.
        await stream.WriteAsync(new byte[]
            { 0x82, (byte)(0x80 | (hello.Length + FrameLimits.HeaderBytes)), 0, 0, 0, 0, (byte)hello.Length, 0, 0, 0 });
        await stream.WriteAsync(hello);

        using CancellationTokenSource patience = new(HttpTestSilo.Patience);
        using MemoryStream received = new();
        try
        {
            await stream.CopyToAsync(received, patience.Token);
        }
        catch (IOException)
        {
            // Reset: closed as well.
        }
        Assert.Contains("silo-1", Encoding.Latin1.GetString(received.ToArray()), StringComparison.Ordinal);
    }

    public static TheoryData<string, ClientFrame[]> UnusableFrames => new()
    {
        { "a second hello", [new ClientFrame { Hello = new Hello { ProtocolVersion = 1 } }] },
        { "no body", [new ClientFrame { CorrelationId = 9 }] },
        { "no correlation id", [WireConnectionTests.Get(0)] },
        { "a negative one", [WireConnectionTests.Get(-1)] },
        { "a fragment of nothing", [new ClientFrame { Fragment = new Fragment { Id = 1 } }] },
    };

    [Theory]
    [MemberData(nameof(UnusableFrames))]
    public async Task A_frame_that_breaks_the_protocol_ends_the_connection_by_name(string why, ClientFrame[] frames)
    {
        Assert.NotEmpty(why);
        using WireTestClient other = await _silo.ConnectAsync();
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(frames);
        await client.AssertRefusedAsync(ErrorCode.InvalidRequest, WebSocketCloseStatus.PolicyViolation);
        Assert.Equal(1, (await other.AskAsync(WireConnectionTests.Get(1))).CorrelationId);
    }

    [Fact]
    public async Task A_correlation_id_that_is_open_may_not_be_used_again()
    {
        _silo.Group.Executing = async (_, abandoned) =>
        {
            await Task.Delay(Timeout.Infinite, abandoned);
            return new CommandAnswer();
        };
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(WireConnectionTests.Put(5, [1]), WireConnectionTests.Put(5, [2]));
        ServerFrame failure = await client.AssertRefusedAsync(ErrorCode.InvalidRequest, WebSocketCloseStatus.PolicyViolation);
        Assert.Equal(5, failure.CorrelationId);
    }

    [Fact]
    public async Task A_text_message_is_refused()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendMessageAsync("hello"u8.ToArray(), WebSocketMessageType.Text);
        await client.AssertRefusedAsync(ErrorCode.InvalidRequest, WebSocketCloseStatus.PolicyViolation);
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_is_read_and_a_byte_more_is_refused()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        byte[] message = FullMessage();
        await client.SendMessageAsync(message);
        Assert.Equal([1, 2], new[] { (await client.ReceiveAsync())!.CorrelationId, (await client.ReceiveAsync())!.CorrelationId }.Order());

        await client.SendMessageAsync(new byte[Limits.MessageBytesMax + 1]);
        await client.AssertRefusedAsync(ErrorCode.RequestTooLarge, WebSocketCloseStatus.MessageTooBig);
    }

    [Fact]
    public async Task A_request_over_the_limit_is_refused_while_it_arrives()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        ByteString piece = ByteString.CopyFrom(new byte[FrameLimits.FragmentDataBytesMax]);
        for (int sent = 0; sent <= Limits.RequestBytesMax; sent += piece.Length)
            await client.SendAsync(new ClientFrame { Fragment = new Fragment { Id = 1, Data = piece } });
        await client.AssertRefusedAsync(ErrorCode.RequestTooLarge, WebSocketCloseStatus.MessageTooBig);
    }

    [Fact]
    public async Task Past_the_limit_of_open_requests_one_is_refused_at_once_and_keep_alives_are_not()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        long session = await WireConnectionTests.CreateSessionAsync(client, 1);
        TaskCompletionSource<CommandAnswer> gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _silo.Group.Executing = (_, _) => gate.Task;
        await client.SendAsync([.. Enumerable.Range(2, 3).Select(i => WireConnectionTests.Put(i, [1]))]);

        ServerFrame refused = await client.AskAsync(WireConnectionTests.Put(5, [1]));
        Assert.Equal((5, ErrorCode.Overloaded), (refused.CorrelationId, refused.Command.Result.Error));
        Assert.Equal(ErrorCode.Overloaded, (await client.AskAsync(WireConnectionTests.Get(6))).Query.Error);
        Assert.Equal(ErrorCode.Ok, (await client.AskAsync(WireConnectionTests.KeepAlive(7, session))).KeepAlive.Error);
        Assert.Equal(4, _silo.Group.Proposed.Count);

        gate.SetResult(new CommandAnswer { Result = new CommandResult() });
        for (int i = 0; i < 3; i++)
            Assert.Equal(ErrorCode.Ok, (await client.ReceiveAsync())!.Command.Result.Error);
        Assert.Equal(8, (await client.AskAsync(WireConnectionTests.Get(8))).CorrelationId);
    }

    [Fact]
    public async Task Past_the_limit_of_sessions_a_keep_alive_is_refused_by_name()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        for (int i = 1; i <= 2; i++)
            await client.AskAsync(WireConnectionTests.KeepAlive(10 + i, await WireConnectionTests.CreateSessionAsync(client, i)));
        long third = await WireConnectionTests.CreateSessionAsync(client, 3);
        Assert.Equal(ErrorCode.TooManySessions, (await client.AskAsync(WireConnectionTests.KeepAlive(4, third))).KeepAlive.Error);
    }

    [Fact]
    public async Task Sessions_that_are_not_there_take_no_place()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        for (int i = 1; i <= 10; i++)
            Assert.Equal(ErrorCode.SessionNotFound, (await client.AskAsync(WireConnectionTests.KeepAlive(i, 900 + i))).KeepAlive.Error);
        Assert.Equal(ErrorCode.InvalidRequest, (await client.AskAsync(WireConnectionTests.KeepAlive(11, -1))).KeepAlive.Error);
    }

    [Fact]
    public async Task A_client_that_never_reads_loses_its_connection_and_slows_nobody()
    {
        using WireTestClient other = await _silo.ConnectAsync();
        await other.AskAsync(WireConnectionTests.Put(1, new byte[Limits.ValueBytesMax]));
        using WireTestClient client = await _silo.ConnectAsync();
        // It asks for megabytes and never takes one: sooner or later its own requests have nowhere to go.
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            for (int i = 1; i < 100_000; i++)
            {
                await client.SendAsync(WireConnectionTests.Get(i));
                if (i % 10 == 0)
                    Assert.Equal(i, (await other.AskAsync(new ClientFrame
                    {
                        CorrelationId = i,
                        Query = new Query { ListSessions = new ListSessions() },
                    })).CorrelationId);
            }
        });
        Assert.Equal(7, (await other.AskAsync(WireConnectionTests.KeepAlive(7, 1))).CorrelationId);
    }

    // Two frames of the largest size, header and all, fill a message.
    private static byte[] FullMessage()
    {
        OutgoingFrames frames = new();
        for (int i = 1; i <= 2; i++)
        {
            int overhead = WireConnectionTests.Put(i, new byte[30_000]).CalculateSize() - 30_000;
            frames.Add(WireConnectionTests.Put(i, new byte[FrameLimits.FrameBytesMax - overhead]));
        }
        byte[] message = new byte[Limits.MessageBytesMax];
        Assert.Equal(message.Length, frames.WriteMessage(message));
        return message;
    }
}
