using System.Net.WebSockets;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

public sealed class WireWatchTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync(options =>
    {
        options.WatchesPerConnectionMax = 3;
        options.OpenRequestsPerConnectionMax = 2;
        options.PingTimeout = TimeSpan.FromSeconds(3);
    });

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task Pages_arrive_in_order_under_their_id_until_one_with_an_error()
    {
        ScriptedWatches watches = new(_silo.Group);
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(5));
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 1);
        WatchPage[] pages =
        [
            ScriptedWatches.Page(7),
            ScriptedWatches.Page(8, ScriptedWatches.Put("k", 7)),
            ScriptedWatches.Page(9, ScriptedWatches.Put("k", 8, new string('x', 500_000))),
            ScriptedWatches.Page(10, ScriptedWatches.Deleted("k", 9)),
            new() { Error = ErrorCode.Compacted, CompactedRevision = 12 },
        ];
        foreach (WatchPage page in pages)
            watches.Write(page);
        foreach (WatchPage page in pages)
            Assert.Equal(new ServerFrame { CorrelationId = 5, WatchPage = page }, await client.ReceiveAsync());
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);

        // It has ended: the id is free.
        Assert.Equal(5, (await client.AskAsync(WireConnectionTests.Get(5))).CorrelationId);
    }

    [Fact]
    public async Task A_session_is_observed_like_anything_else()
    {
        ScriptedWatches watches = new(_silo.Group);
        using WireTestClient client = await _silo.ConnectAsync();
        Watch watch = new() { Session = new ObserveSession { SessionId = 101, SeenNotice = 7 } };
        await client.SendAsync(new ClientFrame { CorrelationId = 1, Watch = watch });
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 1);
        Assert.Equal(watch, Assert.Single(_silo.Group.Watched));
        WatchPage page = new() { Session = new SessionNotices { SessionId = 101, Notice = 9 } };
        watches.Write(page);
        Assert.Equal(page, (await client.ReceiveAsync())!.WatchPage);
    }

    [Fact]
    public async Task An_abandoned_watch_gets_no_answer_ends_and_frees_its_id_and_its_place_at_once()
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        using WireTestClient client = await _silo.ConnectAsync();
        for (int i = 0; i < 50; i++)
        {
            await client.SendAsync(Config(1), Config(2), Config(3));
            for (int page = 0; page < 3; page++)
                Assert.Equal(ErrorCode.Ok, (await client.ReceiveAsync())!.WatchPage.Error);
            await client.SendAsync(Abandon(1), Abandon(2), Abandon(3));
        }
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
        Assert.Equal(150, watches.Opened);
        Assert.Equal(4, (await client.AskAsync(WireConnectionTests.Get(4))).CorrelationId);
    }

    [Fact]
    public async Task Past_the_limit_of_watches_one_is_refused_and_requests_are_not()
    {
        ScriptedWatches watches = new(_silo.Group);
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(1), Config(2), Config(3));
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 3);

        ServerFrame refused = await client.AskAsync(Config(4));
        Assert.Equal((4, ErrorCode.TooManyWatches), (refused.CorrelationId, refused.WatchPage.Error));
        Assert.NotEmpty(refused.WatchPage.Message);
        Assert.Equal(5, (await client.AskAsync(WireConnectionTests.Get(5))).CorrelationId);

        await client.SendAsync(Abandon(2), Config(6));
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 4);
        Assert.Equal(ErrorCode.TooManyWatches, (await client.AskAsync(Config(7))).WatchPage.Error);
        Assert.Equal(3, watches.Open);
    }

    [Fact]
    public async Task The_id_of_an_open_watch_may_not_be_used_again()
    {
        ScriptedWatches watches = new(_silo.Group);
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(5), WireConnectionTests.Get(5));
        ServerFrame failure = await client.AssertRefusedAsync(ErrorCode.InvalidRequest, WebSocketCloseStatus.PolicyViolation);
        Assert.Equal(5, failure.CorrelationId);
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
    }

    public static TheoryData<string, Watch, ErrorCode> BadWatches => new()
    {
        { "of nothing", new Watch(), ErrorCode.InvalidRequest },
        { "of no key", new Watch { Config = new WatchConfig() }, ErrorCode.InvalidName },
        { "of a bad key", new Watch { Config = new WatchConfig { Key = "a/../b" } }, ErrorCode.InvalidName },
        { "of a bad prefix", new Watch { Config = new WatchConfig { Key = "a\u0001", IsPrefix = true } }, ErrorCode.InvalidName },
        { "of a key over the limit", new Watch { Config = new WatchConfig { Key = new string('k', Limits.NameBytesMax + 1) } }, ErrorCode.InvalidName },
        { "from before the first", new Watch { Config = new WatchConfig { Key = "k", FromRevision = -1 } }, ErrorCode.InvalidRequest },
        { "having seen less than nothing", new Watch { Config = new WatchConfig { Key = "k" }, SeenIndex = -1 }, ErrorCode.InvalidRequest },
        { "of an election without a name", new Watch { Election = new ObserveElection() }, ErrorCode.InvalidName },
        { "with a negative token", new Watch { Election = new ObserveElection { Name = "e", Seen = new ElectionState { Token = -1 } } }, ErrorCode.InvalidRequest },
        { "of no session", new Watch { Session = new ObserveSession() }, ErrorCode.InvalidRequest },
        { "of a negative session", new Watch { Session = new ObserveSession { SessionId = -1 } }, ErrorCode.InvalidRequest },
        { "with a negative notice", new Watch { Session = new ObserveSession { SessionId = 1, SeenNotice = -1 } }, ErrorCode.InvalidRequest },
    };

    [Theory]
    [MemberData(nameof(BadWatches))]
    public async Task A_bad_watch_is_answered_by_name_and_the_connection_goes_on(string why, Watch watch, ErrorCode code)
    {
        ScriptedWatches watches = new(_silo.Group);
        using WireTestClient client = await _silo.ConnectAsync();
        ServerFrame answer = await client.AskAsync(new ClientFrame { CorrelationId = 1, Watch = watch });
        Assert.True((answer.CorrelationId, answer.WatchPage.Error) == (1, code), $"{why}: {answer}");
        Assert.NotEmpty(answer.WatchPage.Message);
        Assert.Equal(1, (await client.AskAsync(WireConnectionTests.Get(1))).CorrelationId);
        Assert.Equal(0, watches.Opened);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_watch_has_a_positive_correlation_id(long correlationId)
    {
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(correlationId));
        await client.AssertRefusedAsync(ErrorCode.InvalidRequest, WebSocketCloseStatus.PolicyViolation);
    }

    [Fact]
    public async Task A_watch_that_breaks_in_the_silo_is_told_so()
    {
        ScriptedWatches watches = new(_silo.Group);
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(1));
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 1);
        watches.Break();
        Assert.Equal(ErrorCode.Internal, (await client.ReceiveAsync())!.WatchPage.Error);

        await client.SendAsync(Config(2));
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 2);
        watches.Break(1, new InvalidOperationException("It broke."));
        Assert.Equal(ErrorCode.Internal, (await client.ReceiveAsync())!.WatchPage.Error);
        Assert.Equal(3, (await client.AskAsync(WireConnectionTests.Get(3))).CorrelationId);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_not_read_for_and_then_loses_its_connection()
    {
        ScriptedWatches watches = new(_silo.Group)
        {
            Beginning = [.. Enumerable.Repeat(ScriptedWatches.Page(8, ScriptedWatches.Put("k", 7, new string('x', 400_000))), 400)],
        };
        using WireTestClient other = await _silo.ConnectAsync();
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(1), Config(2), Config(3));
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened > 0);

        Assert.Equal(1, (await other.AskAsync(WireConnectionTests.Get(1))).CorrelationId);
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);

        // What the two ends of the connection buffer, a bound of 1 MiB, and a page in the hand of each: not 160 MB a watch.
        Assert.InRange(watches.Asked, 1, 200);
        Assert.Equal(2, (await other.AskAsync(WireConnectionTests.Get(2))).CorrelationId);
    }

    [Fact]
    public async Task An_answer_passes_the_pages_that_wait()
    {
        ScriptedWatches watches = new(_silo.Group)
        {
            Beginning = [.. Enumerable.Repeat(ScriptedWatches.Page(8, ScriptedWatches.Put("k", 7, new string('x', 20_000))), 2_000)],
        };
        using WireTestClient client = await _silo.ConnectAsync();
        long session = await WireConnectionTests.CreateSessionAsync(client, 1);
        await client.SendAsync(Config(2));
        // Until nothing moves any more: all that can be buffered is, and the outbox is at its bound.
        int asked = -1;
        while (asked != watches.Asked || asked < 50)
        {
            asked = watches.Asked;
            await Task.Delay(100);
        }
        await client.SendAsync(WireConnectionTests.KeepAlive(3, session));
        await WireConnectionTests.WaitUntilAsync(() => _silo.Group.Watchers == 1);

        // What was sent before it is on its way. Of the megabyte that waits in the outbox, at most a message or two is.
        int pages = 0;
        while ((await client.ReceiveAsync())!.BodyCase != ServerFrame.BodyOneofCase.KeepAlive)
            pages++;
        Assert.True(pages <= asked - 1024 * 1024 / 20_100 + 8, $"{pages} pages came before the answer, of {asked} asked for");
    }

    [Fact]
    public async Task A_client_that_reads_gets_every_page_of_all_its_watches()
    {
        WatchPage page = ScriptedWatches.Page(8, ScriptedWatches.Put("k", 7, new string('x', 300_000)));
        ScriptedWatches watches = new(_silo.Group) { Beginning = [.. Enumerable.Repeat(page, 60)] };
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(1), Config(2), Config(3));
        Dictionary<long, int> received = new() { [1] = 0, [2] = 0, [3] = 0 };
        while (received.Values.Sum() < 180)
            received[(await client.ReceiveAsync())!.CorrelationId]++;
        Assert.Equal([60, 60, 60], received.Values);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_ends_ends_its_watches(bool closes)
    {
        ScriptedWatches watches = new(_silo.Group);
        WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(1), Config(2));
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 2);
        if (closes)
            await client.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        else
            client.Socket.Abort();
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
        client.Dispose();
    }

    [Fact]
    public async Task A_silo_that_stops_says_goodbye_ends_its_watches_and_takes_no_new_ones()
    {
        ScriptedWatches watches = new(_silo.Group);
        using WireTestClient client = await _silo.ConnectAsync();
        await client.SendAsync(Config(1), Config(2));
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 2);

        Task stopped = _silo.StopAsync();

        Assert.NotEmpty((await client.ReceiveAsync())!.Goodbye.Reason);
        await client.SendAsync(Config(3));
        HashSet<long> ended = [];
        while (await client.ReceiveAsync() is { } frame)
        {
            Assert.Equal(ErrorCode.Stopping, frame.WatchPage.Error);
            Assert.True(ended.Add(frame.CorrelationId));
        }
        Assert.Superset(new HashSet<long> { 1, 2 }, ended);
        Assert.Equal((0, 2), (watches.Open, watches.Opened));
        await client.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await stopped.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private static ClientFrame Config(long correlationId) =>
        new() { CorrelationId = correlationId, Watch = new Watch { Config = new WatchConfig { Key = "k" } } };

    private static ClientFrame Abandon(long correlationId) => new() { CorrelationId = correlationId, Abandon = new Abandon() };
}
