using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

public sealed class HttpWatchTests : IAsyncLifetime
{
    private const string Path = "/v1/config?watch=true";

    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync(options =>
    {
        options.StreamsMax = 3;
        options.StreamSilenceMax = TimeSpan.FromMilliseconds(300);
        options.StreamWriteTimeout = TimeSpan.FromSeconds(1);
    });

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_stream_says_where_it_begins_then_an_event_a_revision_and_progress()
    {
        ConfigEvent replaced = ScriptedWatches.Put("a", 7, "new\nline");
        replaced.Previous = ScriptedWatches.Put("a", 3, "old").Entry;
        ScriptedWatches watches = new(_silo.Group)
        {
            Beginning =
            [
                ScriptedWatches.Page(7),
                ScriptedWatches.Page(9, replaced, ScriptedWatches.Deleted("b", 7), ScriptedWatches.Put("c", 8)),
                ScriptedWatches.Page(12),
            ],
        };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path + "&prefix=x/&previous=true");

        Assert.Equal("text/event-stream", reader.Response.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-store", reader.Response.Headers.CacheControl!.ToString());
        Assert.Equal("no", reader.Response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.Equal("6", reader.Response.Headers.GetValues("X-Coordinator-Revision").Single());
        Assert.Equal(new StreamEvent("progress", "6", """{"revision":6}"""), await reader.NextAsync());
        Assert.Equal(
            new StreamEvent("change", "7", """{"revision":7,"events":[{"key":"a","deleted":false,"contentType":"text/plain","version":1,"createRevision":7,"modifyRevision":7,"value":"new\nline","previous":{"contentType":"text/plain","version":1,"createRevision":3,"modifyRevision":3,"value":"old"}},{"key":"b","deleted":true,"previous":null}]}"""),
            await reader.NextAsync());
        Assert.Equal("8", (await reader.NextAsync())!.Id);
        Assert.Equal(new StreamEvent("progress", "11", """{"revision":11}"""), await reader.NextAsync());

        Assert.Equal(
            new Watch { Config = new WatchConfig { Key = "x/", IsPrefix = true, WithPrevious = true } },
            Assert.Single(_silo.Group.Watched));
        Assert.Equal(1, watches.Open);
    }

    [Theory]
    [InlineData("", null, "", true, 0)]
    [InlineData("&prefix=", null, "", true, 0)]
    [InlineData("&key=a%2Fb", null, "a/b", false, 0)]
    [InlineData("&key=a&from=1", null, "a", false, 1)]
    [InlineData("&from=9223372036854775807", null, "", true, long.MaxValue)]
    [InlineData("&from=5", "7", "", true, 8)]
    [InlineData("", "0", "", true, 1)]
    [InlineData("", "9223372036854775806", "", true, long.MaxValue)]
    public async Task What_is_asked_for_reaches_the_group(
        string parameters, string? lastEventId, string key, bool isPrefix, long from)
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path + parameters, lastEventId);
        Assert.Equal(
            new Watch { Config = new WatchConfig { Key = key, IsPrefix = isPrefix, FromRevision = from } },
            Assert.Single(_silo.Group.Watched));
        Assert.Equal(1, watches.Opened);
    }

    [Fact]
    public async Task A_stream_that_begins_with_a_change_says_first_that_all_before_it_is_told()
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(8, ScriptedWatches.Put("a", 7))] };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path + "&from=7");
        Assert.Equal(("progress", "6"), await NextAsync(reader));
        Assert.Equal(("change", "7"), await NextAsync(reader));
        Assert.Equal(1, watches.Opened);
    }

    [Fact]
    public async Task A_revision_that_comes_on_several_pages_is_one_event()
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path);
        Assert.Equal(("progress", "6"), await NextAsync(reader));
        watches.Write(Continued(ScriptedWatches.Put("z", 6), ScriptedWatches.Put("a", 7)));
        watches.Write(Continued(ScriptedWatches.Put("b", 7), ScriptedWatches.Put("c", 7)));
        Assert.Equal(("change", "6"), await NextAsync(reader));
        // A sign of life in the middle harms nothing.
        Task<StreamEvent?> whole = reader.NextAsync();
        await WireConnectionTests.WaitUntilAsync(() => reader.Comments > 0);
        Assert.False(whole.IsCompleted);
        watches.Write(ScriptedWatches.Page(9, ScriptedWatches.Put("d", 7), ScriptedWatches.Put("a", 8)));

        StreamEvent change = (await whole)!;
        Assert.Equal(("change", "7"), (change.Name, change.Id));
        Assert.Equal(["a", "b", "c", "d"], KeysOf(change));
        Assert.Equal(["a"], KeysOf((await reader.NextAsync())!));
    }

    [Fact]
    public async Task A_split_revision_may_end_with_a_page_of_nothing()
    {
        ScriptedWatches watches = new(_silo.Group)
        {
            Beginning = [Continued(ScriptedWatches.Put("a", 7)), ScriptedWatches.Page(8), ScriptedWatches.Page(9)],
        };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path);
        Assert.Equal(("progress", "6"), await NextAsync(reader));
        Assert.Equal(["a"], KeysOf((await reader.NextAsync())!));
        Assert.Equal(("progress", "8"), await NextAsync(reader));
        Assert.Equal(1, watches.Open);
    }

    [Fact]
    public async Task An_error_in_the_middle_is_the_last_event()
    {
        ScriptedWatches watches = new(_silo.Group)
        {
            Beginning = [ScriptedWatches.Page(7), new WatchPage { Error = ErrorCode.Compacted, Message = "Gone." }],
        };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path);
        Assert.Equal(("progress", "6"), await NextAsync(reader));
        StreamEvent error = (await reader.NextAsync())!;
        EventReader.AssertProblem(error, ErrorCode.Compacted);
        Assert.Equal((410, "Gone."), (error.Json.GetProperty("status").GetInt32(), error.Json.GetProperty("detail").GetString()));
        Assert.Null(await reader.NextAsync());
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
    }

    [Fact]
    public async Task An_error_inside_a_revision_cuts_its_event_off()
    {
        ScriptedWatches watches = new(_silo.Group)
        {
            Beginning = [Continued(ScriptedWatches.Put("a", 7)), new WatchPage { Error = ErrorCode.Compacted }],
        };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path);
        Assert.Equal(("progress", "6"), await NextAsync(reader));
        Assert.Null(await reader.NextAsync());
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
    }

    [Theory]
    [InlineData(ErrorCode.Compacted, 410)]
    [InlineData(ErrorCode.RevisionInFuture, 400)]
    [InlineData(ErrorCode.TooManyWatches, 429)]
    [InlineData(ErrorCode.NoQuorum, 503)]
    [InlineData(ErrorCode.RolledBack, 500)]
    public async Task An_error_before_the_first_page_is_an_ordinary_answer(ErrorCode code, int status)
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [new WatchPage { Error = code }] };
        HttpAnswer answer = await _silo.SendAsync("GET", Path);
        answer.AssertProblem(code);
        Assert.Equal(status, (int)answer.Status);
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
    }

    [Fact]
    public async Task HEAD_answers_as_GET_begins_without_a_stream()
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        foreach (string path in new[] { Path, "/v1/elections/e?observe=true" })
        {
            HttpAnswer answer = await _silo.SendAsync("HEAD", path);
            Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.Status, answer.Headers["Content-Type"]));
            Assert.Empty(answer.Body);
        }
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
    }

    [Theory]
    [InlineData("/v1/config?watch=true&after=a", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&limit=1", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&values=false", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&count=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&revision=1", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&consistency=serializable", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&colour=red", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&observe=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&watch=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=yes", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&from=0", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&from=-1", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&from=x", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&from=1.5", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&from=", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&from=9223372036854775808", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&previous=maybe", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&key=a&prefix=a", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&key=a&prefix=", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=true&key=", ErrorCode.InvalidName)]
    [InlineData("/v1/config?watch=true&key=a/../b", ErrorCode.InvalidName)]
    [InlineData("/v1/config?watch=true&prefix=%00", ErrorCode.InvalidName)]
    [InlineData("/v1/config?watch=true&prefix=%FF", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?key=a", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?from=1", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config?watch=false&previous=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/config/a?watch=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/elections/e?observe=yes", ErrorCode.InvalidRequest)]
    [InlineData("/v1/elections/e?observe=true&consistency=serializable", ErrorCode.InvalidRequest)]
    [InlineData("/v1/elections/e?observe=true&from=1", ErrorCode.InvalidRequest)]
    [InlineData("/v1/elections/e?watch=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/elections/%01?observe=true", ErrorCode.InvalidName)]
    [InlineData("/v1/elections?observe=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/locks/e?observe=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/semaphores/e?observe=true", ErrorCode.InvalidRequest)]
    [InlineData("/v1/leases/e?observe=true", ErrorCode.InvalidRequest)]
    public async Task Parameters_that_do_not_fit_are_refused_by_name(string target, ErrorCode code)
    {
        ScriptedWatches watches = new(_silo.Group);
        (await _silo.SendTargetAsync(target)).AssertProblem(code);
        Assert.Equal(0, watches.Opened);
    }

    [Theory]
    [InlineData("Last-Event-ID", "x")]
    [InlineData("Last-Event-ID", "-1")]
    [InlineData("Last-Event-ID", "1.5")]
    [InlineData("Last-Event-ID", "+1")]
    [InlineData("Last-Event-ID", "9223372036854775807")]
    [InlineData("Last-Event-ID", "9223372036854775808")]
    [InlineData("Last-Event-ID", "")]
    [InlineData("X-Raft-Index", "x")]
    [InlineData("X-Raft-Index", "-1")]
    public async Task A_position_that_is_no_number_is_refused_by_name(string header, string value)
    {
        ScriptedWatches watches = new(_silo.Group);
        foreach (string path in new[] { Path, "/v1/elections/e?observe=true" })
        {
            HttpAnswer answer = await _silo.SendRawAsync(
                $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{_silo.Address.Port}\r\nConnection: close\r\n{header}: {value}\r\n\r\n");
            answer.AssertProblem(ErrorCode.InvalidRequest);
            Assert.Contains(header, answer.Text, StringComparison.Ordinal);
        }
        Assert.Equal(0, watches.Opened);
    }

    [Fact]
    public async Task An_election_is_observed_as_it_is_and_as_it_changes()
    {
        ScriptedWatches watches = new(_silo.Group);
        Task<EventReader> opening = EventReader.OpenAsync(_silo.Client, "/v1/elections/jobs/nightly?observe=true", "90");
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 1);
        watches.Write(Leader(103, new ElectionState { Token = 95, SessionId = 91, Value = "host-1" }));
        watches.Write(new WatchPage { Position = new Position { Index = 104 } });
        watches.Write(Leader(107, new ElectionState()));
        using EventReader reader = await opening;

        Assert.Equal(
            new StreamEvent("leader", "103", """{"name":"jobs/nightly","leader":{"sessionId":"91","token":95,"value":"host-1"}}"""),
            await reader.NextAsync());
        Assert.Equal(new StreamEvent("leader", "107", """{"name":"jobs/nightly","leader":null}"""), await reader.NextAsync());
        Assert.True(reader.Comments > 0);
        Assert.Equal(
            new Watch { Election = new ObserveElection { Name = "jobs/nightly" }, SeenIndex = 90 },
            Assert.Single(_silo.Group.Watched));
    }

    [Fact]
    public async Task Past_the_limit_of_streams_one_is_refused_and_an_ended_one_makes_room()
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        EventReader[] readers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => EventReader.OpenAsync(_silo.Client, Path)));
        (await _silo.SendAsync("GET", Path)).AssertProblem(ErrorCode.TooManyWatches);
        (await _silo.SendAsync("GET", "/v1/elections/e?observe=true")).AssertProblem(ErrorCode.TooManyWatches);
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("GET", "/v1/config")).Status);

        readers[0].Dispose();
        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 2);
        HttpAnswer head = await _silo.SendAsync("HEAD", Path);
        for (int i = 0; i < 200 && head.Status != HttpStatusCode.OK; i++)
            head = await _silo.SendAsync("HEAD", Path);
        Assert.Equal(HttpStatusCode.OK, head.Status);
        foreach (EventReader reader in readers)
            reader.Dispose();
    }

    [Fact]
    public async Task A_silent_stream_shows_that_it_is_there()
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path);
        Assert.Equal(("progress", "6"), await NextAsync(reader));
        Task<StreamEvent?> next = reader.NextAsync();
        await WireConnectionTests.WaitUntilAsync(() => reader.Comments >= 3);
        watches.Write(ScriptedWatches.Page(8, ScriptedWatches.Put("a", 7)));
        Assert.Equal("7", (await next)!.Id);
    }

    [Fact]
    public void A_stream_is_silent_for_less_than_fifteen_seconds_by_default() =>
        Assert.True(new Coordinator.Silo.Http.HttpInterfaceOptions().StreamSilenceMax < TimeSpan.FromSeconds(15));

    [Fact]
    public async Task A_client_that_does_not_read_is_not_read_for_and_is_cut_off()
    {
        WatchPage page = ScriptedWatches.Page(8, ScriptedWatches.Put("k", 7, new string('x', 1_000_000)));
        ScriptedWatches watches = new(_silo.Group) { Beginning = [.. Enumerable.Repeat(page, 500)] };
        using TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, _silo.Address.Port);
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {Path} HTTP/1.1\r\nHost: 127.0.0.1:{_silo.Address.Port}\r\n\r\n"));
        await WireConnectionTests.WaitUntilAsync(() => watches.Opened == 1);
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("GET", "/v1/config")).Status);

        await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);

        // What the two ends of the connection buffer: not half a gigabyte.
        Assert.InRange(watches.Asked, 1, 100);
    }

    [Fact]
    public async Task A_thousand_streams_that_are_abandoned_leave_nothing_behind()
    {
        await using HttpTestSilo silo = await HttpTestSilo.StartAsync(options => options.StreamsMax = 40);
        ScriptedWatches watches = new(silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        for (int round = 0; round < 50; round++)
        {
            EventReader[] readers =
                await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => EventReader.OpenAsync(silo.Client, Path)));
            foreach (EventReader reader in readers)
                reader.Dispose();
            await WireConnectionTests.WaitUntilAsync(() => watches.Open == 0);
        }
        Assert.Equal(1_000, watches.Opened);
    }

    [Fact]
    public async Task A_silo_that_stops_ends_its_streams_by_name_and_at_once()
    {
        ScriptedWatches watches = new(_silo.Group) { Beginning = [ScriptedWatches.Page(7)] };
        using EventReader reader = await EventReader.OpenAsync(_silo.Client, Path);
        Assert.Equal(("progress", "6"), await NextAsync(reader));

        Task stopped = _silo.StopAsync();

        EventReader.AssertProblem(await reader.NextAsync(), ErrorCode.Stopping);
        Assert.Null(await reader.NextAsync());
        Assert.Equal(0, watches.Open);
        await stopped.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private static WatchPage Continued(params ConfigEvent[] events)
    {
        WatchPage page = ScriptedWatches.Page(events[^1].Entry.ModifyRevision, events);
        page.Continues = true;
        return page;
    }

    private static WatchPage Leader(long index, ElectionState state) =>
        new() { Position = new Position { Index = index }, Election = state };

    private static async Task<(string? Name, string? Id)> NextAsync(EventReader reader)
    {
        StreamEvent? next = await reader.NextAsync();
        return (next?.Name, next?.Id);
    }

    private static string[] KeysOf(StreamEvent change) =>
        [.. change.Json.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("key").GetString()!)];
}
