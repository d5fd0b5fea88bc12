using System.Net;
using System.Net.WebSockets;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Tests.Silo;

public sealed class WireConnectionTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_hello_is_answered_by_a_welcome()
    {
        using WireTestClient client = new(await _silo.OpenSocketAsync());
        Welcome welcome = await client.GreetAsync();
        Assert.Equal(
            new Welcome { ProtocolVersion = Limits.ProtocolVersion, ClusterId = "cluster", Groups = 1, SiloId = "silo-1" }, welcome);
    }

    [Fact]
    public async Task Commands_queries_and_keep_alives_are_answered_under_their_ids()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        long session = await CreateSessionAsync(client, 1);

        ServerFrame put = await client.AskAsync(Put(2, "value"u8.ToArray()));
        Assert.Equal((2, 1), (put.CorrelationId, put.Command.Result.Version));
        ServerFrame got = await client.AskAsync(Get(3));
        Assert.Equal("value", got.Query.Entries[0].Value.ToStringUtf8());
        Assert.Equal(7, got.Query.Position.Term);
        ServerFrame kept = await client.AskAsync(KeepAlive(4, session));
        Assert.Equal((4, ErrorCode.Ok, 10_000_000), (kept.CorrelationId, kept.KeepAlive.Error, kept.KeepAlive.TtlUs));
        ServerFrame lost = await client.AskAsync(KeepAlive(5, 999));
        Assert.Equal(ErrorCode.SessionNotFound, lost.KeepAlive.Error);
    }

    [Fact]
    public async Task A_megabyte_goes_there_and_back()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        byte[] value = new byte[Limits.ValueBytesMax];
        new Random(1).NextBytes(value);
        Assert.Equal(ErrorCode.Ok, (await client.AskAsync(Put(1, value))).Command.Result.Error);
        Assert.Equal(value, (await client.AskAsync(Get(2))).Query.Entries[0].Value.ToByteArray());
    }

    [Fact]
    public async Task Requests_do_not_wait_for_each_other()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        long holder = await CreateSessionAsync(client, 1), waiter = await CreateSessionAsync(client, 2);
        await client.AskAsync(Acquire(3, holder, 0));
        await client.SendAsync(Acquire(4, waiter, -1), Get(5));
        Assert.Equal(5, (await client.ReceiveAsync())!.CorrelationId);
    }

    [Fact]
    public async Task An_abandoned_request_is_no_longer_waited_for_and_its_id_is_free_again()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        long holder = await CreateSessionAsync(client, 1), waiter = await CreateSessionAsync(client, 2);
        await client.AskAsync(Acquire(3, holder, 0));
        await client.SendAsync(Acquire(4, waiter, -1));
        Assert.True(await _silo.Group.Waiting.WaitAsync(HttpTestSilo.Patience));

        await client.SendAsync(new ClientFrame { CorrelationId = 4, Abandon = new Abandon() });

        Assert.True(await _silo.Group.Abandoned.WaitAsync(HttpTestSilo.Patience));
        ServerFrame next = await client.AskAsync(Get(5));
        Assert.Equal(5, next.CorrelationId);
        Assert.Equal(4, (await client.AskAsync(Get(4))).CorrelationId);
        // Of something that is not open there is nothing to abandon.
        await client.SendAsync(new ClientFrame { CorrelationId = 77, Abandon = new Abandon() });
        Assert.Equal(6, (await client.AskAsync(Get(6))).CorrelationId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_ends_abandons_its_waits_and_watches(bool closes)
    {
        WireTestClient client = await _silo.ConnectAsync();
        long holder = await CreateSessionAsync(client, 1), waiter = await CreateSessionAsync(client, 2);
        await client.AskAsync(KeepAlive(3, holder));
        Assert.Equal(1, _silo.Group.Watchers);
        await client.AskAsync(Acquire(4, holder, 0));
        await client.SendAsync(Acquire(5, waiter, -1));
        Assert.True(await _silo.Group.Waiting.WaitAsync(HttpTestSilo.Patience));

        if (closes)
            await client.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        else
            client.Socket.Abort();

        Assert.True(await _silo.Group.Abandoned.WaitAsync(HttpTestSilo.Patience));
        await WaitUntilAsync(() => _silo.Group.Watchers == 0);
        client.Dispose();
    }

    [Fact]
    public async Task The_end_of_a_session_that_was_kept_alive_is_pushed_once()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        long session = await CreateSessionAsync(client, 1);
        await client.AskAsync(KeepAlive(2, session));
        await client.AskAsync(KeepAlive(3, session));

        _silo.Group.EndSession(session, "expired");
        _silo.Group.EndSession(session, "expired");

        ServerFrame pushed = (await client.ReceiveAsync())!;
        Assert.Equal((0, session, "expired"), (pushed.CorrelationId, pushed.SessionEnded.SessionId, pushed.SessionEnded.Reason));
        Assert.Equal(4, (await client.AskAsync(Get(4))).CorrelationId);
        Assert.Equal(0, _silo.Group.Watchers);
    }

    [Fact]
    public async Task A_silo_that_stops_says_goodbye_answers_what_is_under_way_and_closes()
    {
        TaskCompletionSource<CommandAnswer> gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _silo.Group.Executing = (_, _) => gate.Task;
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Put(1, [1]));
        await WaitUntilAsync(() => _silo.Group.Proposed.Count == 1);

        Task stopped = _silo.StopAsync();

        Assert.NotEmpty((await client.ReceiveAsync())!.Goodbye.Reason);
        gate.SetResult(new CommandAnswer { Result = new CommandResult { Version = 5 } });
        Assert.Equal(5, (await client.ReceiveAsync())!.Command.Result.Version);
        Assert.Null(await client.ReceiveAsync());
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, client.Socket.CloseStatus);
        await client.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await stopped.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_plain_request_to_the_WebSockets_path_is_told_so()
    {
        HttpAnswer answer = await _silo.SendAsync("GET", "/v1/connect");
        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.Status);
        Assert.Equal("InvalidRequest", answer.Code);
    }

    [Fact]
    public async Task A_command_that_breaks_a_rule_is_answered_by_name_and_the_connection_goes_on()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        (Command Command, ErrorCode Code)[] bad =
        [
            (new Command(), ErrorCode.InvalidRequest),
            (new Command { KeepAlive = new KeepAlive { SessionIds = { 1 } } }, ErrorCode.InvalidRequest),
            (new Command { AdvanceTime = new AdvanceTime() }, ErrorCode.InvalidRequest),
            (new Command { EndSession = new EndSession() }, ErrorCode.InvalidRequest),
            (new Command { SessionId = -1, EndSession = new EndSession() }, ErrorCode.InvalidRequest),
            (new Command { CreateSession = new CreateSession { TtlUs = 1, Nonce = ByteString.CopyFrom(new byte[16]) } }, ErrorCode.InvalidTtl),
            (new Command { CreateSession = new CreateSession { TtlUs = 1_000_000, Nonce = ByteString.CopyFrom(1) } }, ErrorCode.InvalidRequest),
            (new Command { SessionId = 1, AcquireLock = new AcquireLock { Name = "a", WaitUs = -2 } }, ErrorCode.InvalidWait),
            (new Command { SessionId = 1, AcquireLock = new AcquireLock { Name = "a/../b" } }, ErrorCode.InvalidName),
            (new Command { SessionId = 1, ReleaseLock = new ReleaseLock { Name = "a", Token = -1 } }, ErrorCode.InvalidRequest),
            (new Command { SessionId = 1, CancelWait = new CancelWait() }, ErrorCode.InvalidRequest),
            (new Command { PutConfig = new PutConfig { Key = "" } }, ErrorCode.InvalidName),
            (Put(1, new byte[Limits.ValueBytesMax + 1]).Command, ErrorCode.ValueTooLarge),
            (new Command { DeleteConfig = new DeleteConfig { Key = "\u0001" } }, ErrorCode.InvalidName),
        ];
        foreach ((Command command, ErrorCode code) in bad)
        {
            ServerFrame answer = await client.AskAsync(new ClientFrame { CorrelationId = 1, Command = command });
            Assert.Equal((code, command.OperationCase), (answer.Command.Result.Error, command.OperationCase));
            Assert.NotEmpty(answer.Command.Message);
        }
        Assert.Equal(ErrorCode.InvalidRequest,
            (await client.AskAsync(new ClientFrame { CorrelationId = 1, Query = new Query() })).Query.Error);
        Assert.Empty(_silo.Group.Proposed);
        Assert.Empty(_silo.Group.Asked);
    }

    [Fact]
    public async Task The_caller_is_never_the_clients_own_word()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        ClientFrame put = Put(1, [1]);
        put.Command.Caller = "root";
        await client.AskAsync(put);
        Assert.Equal("", _silo.Group.Proposed.Single().Caller);
    }

    internal static ClientFrame Put(long correlationId, byte[] value) => new()
    {
        CorrelationId = correlationId,
        Command = new Command { PutConfig = new PutConfig { Key = "k", Value = ByteString.CopyFrom(value) } },
    };

    internal static ClientFrame Get(long correlationId) => new()
    {
        CorrelationId = correlationId,
        Query = new Query { GetConfig = new GetConfig { Key = "k" } },
    };

    internal static ClientFrame KeepAlive(long correlationId, long sessionId) => new()
    {
        CorrelationId = correlationId,
        KeepAlive = new SessionKeepAlive { SessionId = sessionId },
    };

    internal static ClientFrame Acquire(long correlationId, long sessionId, long waitUs) => new()
    {
        CorrelationId = correlationId,
        Command = new Command { SessionId = sessionId, AcquireLock = new AcquireLock { Name = "a", WaitUs = waitUs } },
    };

    internal static async Task<long> CreateSessionAsync(WireTestClient client, long correlationId)
    {
        CreateSession create = new() { TtlUs = 10_000_000, Nonce = ByteString.CopyFrom(new byte[16]) };
        ServerFrame answer = await client.AskAsync(
            new ClientFrame { CorrelationId = correlationId, Command = new Command { CreateSession = create } });
        return answer.Command.Result.SessionId;
    }

    internal static async Task WaitUntilAsync(Func<bool> condition)
    {
        using CancellationTokenSource patience = new(HttpTestSilo.Patience);
        while (!condition())
            await Task.Delay(5, patience.Token);
    }
}
