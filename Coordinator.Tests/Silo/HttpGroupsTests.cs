using System.Net;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Tests.Contracts;

namespace Coordinator.Tests.Silo;

/// <summary>The interfaces before a cluster of several groups.</summary>
public sealed class HttpGroupsTests : IAsyncLifetime
{
    private const int Groups = 3;
    private static readonly string[] In = [.. Enumerable.Range(0, Groups).Select(group => GroupNames.In(group, Groups))];

    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync(
        [.. Enumerable.Range(0, Groups).Select(group => new HttpMemoryGateway(group))]);

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_name_says_which_group_serves_and_the_answer_says_it_too()
    {
        for (int group = 0; group < Groups; group++)
        {
            HttpAnswer put = await _silo.SendAsync("PUT", $"/v1/config/{In[group]}/key", """{"any":"value"}""");
            Assert.Equal(HttpStatusCode.OK, put.Status);
            Assert.Equal($"{group}", put.Headers["X-Coordinator-Group"]);
            Assert.Equal([$"{In[group]}/key"], _silo.GroupAt(group).Proposed.Select(command => command.PutConfig.Key));
        }
    }

    [Fact]
    public async Task A_session_is_placed_by_its_namespace_and_its_id_says_its_group()
    {
        string session = await CreateSessionAsync(2);
        Assert.Matches("^2-[1-9][0-9]*$", session);
        HttpAnswer got = await _silo.SendAsync("GET", $"/v1/sessions/{session}");
        Assert.Equal(session, got.Json.GetProperty("sessionId").GetString());
        Assert.Equal("2", got.Headers["X-Coordinator-Group"]);
        HttpAnswer kept = await _silo.SendAsync("POST", $"/v1/sessions/{session}/keepalive");
        Assert.Equal(session, kept.Json.GetProperty("sessionId").GetString());
        Assert.Equal(1, _silo.GroupAt(2).KeptAlive);
        HttpAnswer ended = await _silo.SendAsync("DELETE", $"/v1/sessions/{session}");
        Assert.Equal(session, ended.Json.GetProperty("sessionId").GetString());
    }

    [Fact]
    public async Task A_session_without_a_namespace_is_refused_by_name()
    {
        HttpAnswer refused = await _silo.SendAsync("POST", "/v1/sessions", """{"ttlSeconds":10}""");
        refused.AssertProblem(ErrorCode.InvalidRequest);
        Assert.Contains("namespace", refused.Text, StringComparison.Ordinal);
        refused = await _silo.SendAsync("POST", "/v1/sessions", $$"""{"ttlSeconds":10,"namespace":"{{new string('ä', 1024)}}"}""");
        refused.AssertProblem(ErrorCode.InvalidName);
    }

    [Fact]
    public async Task Holders_and_waiters_are_shown_with_their_groups()
    {
        string session = await CreateSessionAsync(1);
        HttpAnswer granted = await _silo.SendAsync("POST", $"/v1/locks/{In[1]}/door/acquire", $$"""{"sessionId":"{{session}}"}""");
        Assert.Equal(session, granted.Json.GetProperty("sessionId").GetString());
        JsonElement info = (await _silo.SendAsync("GET", $"/v1/locks/{In[1]}/door")).Json;
        Assert.Equal(session, info.GetProperty("holders")[0].GetProperty("sessionId").GetString());
        JsonElement listed = (await _silo.SendAsync("GET", "/v1/sessions?group=1")).Json;
        Assert.Equal(session, listed.GetProperty("sessions")[0].GetProperty("sessionId").GetString());
    }

    [Fact]
    public async Task A_session_of_another_group_than_the_name_is_refused_and_nothing_is_proposed()
    {
        string session = await CreateSessionAsync(1);
        HttpAnswer refused = await _silo.SendAsync("POST", $"/v1/locks/{In[0]}/door/acquire", $$"""{"sessionId":"{{session}}"}""");
        refused.AssertProblem(ErrorCode.SpansGroups);
        Assert.Contains($"{In[0]}/door", refused.Text, StringComparison.Ordinal);
        Assert.Empty(_silo.GroupAt(0).Proposed);
        Assert.Single(_silo.GroupAt(1).Proposed);
    }

    [Fact]
    public async Task Two_sessions_of_two_groups_in_one_request_are_refused()
    {
        string own = await CreateSessionAsync(1);
        string other = await CreateSessionAsync(2);
        HttpAnswer refused = await _silo.SendAsync(
            "POST", $"/v1/elections/{In[1]}/hand-over", $$"""{"sessionId":"{{own}}","toSessionId":"{{other}}"}""");
        refused.AssertProblem(ErrorCode.SpansGroups);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("3-7")]
    [InlineData("01-7")]
    [InlineData("1-0")]
    [InlineData("1-")]
    [InlineData("-7")]
    [InlineData("1-7-7")]
    [InlineData("+1-7")]
    [InlineData("99999999999-7")]
    public async Task What_is_no_session_of_this_cluster_is_refused(string session)
    {
        (await _silo.SendAsync("GET", $"/v1/sessions/{session}")).AssertProblem(ErrorCode.InvalidRequest);
        (await _silo.SendAsync("POST", $"/v1/locks/{In[1]}/acquire", $$"""{"sessionId":"{{session}}"}""")).AssertProblem(ErrorCode.InvalidRequest);
    }

    [Fact]
    public async Task One_request_about_names_of_two_groups_is_refused()
    {
        HttpAnswer refused = await _silo.SendAsync(
            "POST", "/v1/txn", $$"""{"then":[{"put":"{{In[0]}}/a","value":"1"},{"put":"{{In[1]}}/b","value":"2"}]}""");
        refused.AssertProblem(ErrorCode.SpansGroups);
        string session = await CreateSessionAsync(0);
        refused = await _silo.SendAsync(
            "POST", $"/v1/locks/{In[0]}/acquire", $$"""{"sessionId":"{{session}}","also":[{"name":"{{In[2]}}"}]}""");
        refused.AssertProblem(ErrorCode.SpansGroups);
        Assert.Empty(_silo.GroupAt(1).Proposed);
    }

    [Fact]
    public async Task What_no_name_places_says_its_group()
    {
        foreach (string path in (string[])["/v1/sessions", "/v1/forced-releases"])
        {
            (await _silo.SendAsync("GET", path)).AssertProblem(ErrorCode.InvalidRequest);
            HttpAnswer listed = await _silo.SendAsync("GET", $"{path}?group=2");
            Assert.Equal(HttpStatusCode.OK, listed.Status);
            Assert.Equal("2", listed.Headers["X-Coordinator-Group"]);
            (await _silo.SendAsync("GET", $"{path}?group=3")).AssertProblem(ErrorCode.InvalidRequest);
            (await _silo.SendAsync("GET", $"{path}?group=-1")).AssertProblem(ErrorCode.InvalidRequest);
        }
        (await _silo.SendAsync("POST", "/v1/config/compact", """{"revision":5}""")).AssertProblem(ErrorCode.InvalidRequest);
        await _silo.SendAsync("POST", "/v1/config/compact", """{"revision":5,"group":1}""");
        Assert.Equal(5, Assert.Single(_silo.GroupAt(1).Proposed).CompactConfig.Revision);
    }

    [Fact]
    public async Task A_prefix_of_several_groups_needs_one_and_a_whole_namespace_does_not()
    {
        foreach (string path in (string[])["/v1/config", "/v1/locks", "/v1/leases"])
        {
            (await _silo.SendAsync("GET", path)).AssertProblem(ErrorCode.SpansGroups);
            (await _silo.SendAsync("GET", $"{path}?prefix=ns")).AssertProblem(ErrorCode.SpansGroups);
            Assert.Equal("1", (await _silo.SendAsync("GET", $"{path}?prefix=ns&group=1")).Headers["X-Coordinator-Group"]);
            Assert.Equal("2", (await _silo.SendAsync("GET", $"{path}?prefix={In[2]}/")).Headers["X-Coordinator-Group"]);
            (await _silo.SendAsync("GET", $"{path}?prefix={In[2]}/&group=1")).AssertProblem(ErrorCode.SpansGroups);
        }
        (await _silo.SendAsync("GET", "/v1/config?watch=true&prefix=ns")).AssertProblem(ErrorCode.SpansGroups);
        (await _silo.SendAsync("POST", "/v1/config/rollback", """{"prefix":"","revision":5}""")).AssertProblem(ErrorCode.SpansGroups);
    }

    [Fact]
    public async Task The_status_shows_all_groups_and_the_silo_is_ready_when_all_are()
    {
        JsonElement status = (await _silo.SendAsync("GET", "/v1/status")).Json;
        Assert.Equal([0, 1, 2], status.GetProperty("groups").EnumerateArray().Select(group => group.GetProperty("group").GetInt32()));
        Assert.True(status.GetProperty("ready").GetBoolean());
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("GET", "/health/ready")).Status);
        _silo.GroupAt(1).Ready = false;
        HttpAnswer refused = await _silo.SendAsync("GET", "/health/ready");
        refused.AssertProblem(ErrorCode.NoQuorum);
        Assert.Contains("1 of 3 groups", refused.Text, StringComparison.Ordinal);
        Assert.False((await _silo.SendAsync("GET", "/v1/status")).Json.GetProperty("ready").GetBoolean());
    }

    [Fact]
    public async Task The_status_claims_no_more_than_the_group_that_survives_least_or_of_which_nothing_is_known()
    {
        foreach (int group in Enumerable.Range(0, Groups))
            _silo.GroupAt(group).Survives = group == 1 ? 0 : 2;
        JsonElement known = (await _silo.SendAsync("GET", "/v1/status")).Json;
        Assert.Equal(0, known.GetProperty("durability").GetProperty("faultsTolerated").GetInt32());
        _silo.GroupAt(2).Survives = null;
        Assert.False((await _silo.SendAsync("GET", "/v1/status")).Json.TryGetProperty("durability", out _));
    }

    [Fact]
    public async Task Peers_and_snapshots_are_those_of_the_group_in_the_path()
    {
        Assert.Equal(2, (await _silo.SendAsync("GET", "/v1/groups/2/peers")).Json.GetProperty("group").GetInt32());
        Assert.Equal(2, Assert.Single(_silo.GroupAt(2).Administered).Group);
        (await _silo.SendAsync("GET", "/v1/groups/3/peers")).AssertProblem(ErrorCode.InvalidRequest);
        (await _silo.SendAsync("GET", "/v1/groups/1/snapshot")).AssertProblem(ErrorCode.NoQuorum);
        Assert.Equal([1], _silo.GroupAt(1).Saved);
        (await _silo.SendAsync("GET", "/v1/groups/3/snapshot")).AssertProblem(ErrorCode.InvalidRequest);
    }

    [Fact]
    public async Task A_native_client_says_the_group_and_is_refused_when_it_lies()
    {
        using WireTestClient client = new(await _silo.OpenSocketAsync());
        Assert.Equal(Groups, (await client.GreetAsync()).Groups);
        var put = new Command { PutConfig = new PutConfig { Key = In[1] } };
        ServerFrame done = await client.AskAsync(new ClientFrame { CorrelationId = 1, Group = 1, Command = put });
        Assert.Equal((ErrorCode.Ok, 1), (done.Command.Result.Error, done.Command.Position.Group));
        foreach ((int group, ErrorCode code) in ((int, ErrorCode)[])[
            (0, ErrorCode.SpansGroups), (2, ErrorCode.SpansGroups), (3, ErrorCode.InvalidRequest), (-1, ErrorCode.InvalidRequest)])
            await AssertRefusedAsync(client, group, code);
        Assert.Single(_silo.GroupAt(1).Proposed);
        Assert.All((int[])[0, 2], group => Assert.Equal(0, _silo.GroupAt(group).Reached));
    }

    [Fact]
    public async Task The_same_session_id_in_two_groups_is_two_sessions()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        long[] sessions = new long[Groups];
        for (int group = 0; group < 2; group++)
        {
            ServerFrame created = await client.AskAsync(new ClientFrame
            {
                CorrelationId = 1,
                Group = group,
                Command = new Command { CreateSession = new CreateSession { TtlUs = 10_000_000 } },
            });
            sessions[group] = created.Command.Result.SessionId;
            ServerFrame kept = await client.AskAsync(new ClientFrame
            {
                CorrelationId = 2,
                Group = group,
                KeepAlive = new SessionKeepAlive { SessionId = sessions[group] },
            });
            Assert.Equal(ErrorCode.Ok, kept.KeepAlive.Error);
        }
        Assert.Equal(sessions[0], sessions[1]);
        Assert.Equal((1, 1), (_silo.GroupAt(0).Watchers, _silo.GroupAt(1).Watchers));
        _silo.GroupAt(1).EndSession(sessions[1], "expired");
        SessionEnded ended = (await client.ReceiveAsync())!.SessionEnded;
        Assert.Equal((1, sessions[1]), (ended.Group, ended.SessionId));
        Assert.Equal((1, 0), (_silo.GroupAt(0).Watchers, _silo.GroupAt(1).Watchers));
    }

    private static async Task AssertRefusedAsync(WireTestClient client, int group, ErrorCode code)
    {
        var put = new ClientFrame { CorrelationId = 1, Group = group, Command = new Command { PutConfig = new PutConfig { Key = In[1] } } };
        Assert.Equal(code, (await client.AskAsync(put)).Command.Result.Error);
        var get = new ClientFrame { CorrelationId = 1, Group = group, Query = new Query { GetConfig = new GetConfig { Key = In[1] } } };
        Assert.Equal(code, (await client.AskAsync(get)).Query.Error);
        var watch = new ClientFrame { CorrelationId = 1, Group = group, Watch = new Watch { Config = new WatchConfig { Key = In[1] } } };
        Assert.Equal(code, (await client.AskAsync(watch)).WatchPage.Error);
        if (code != ErrorCode.InvalidRequest)
            return;
        var keep = new ClientFrame { CorrelationId = 1, Group = group, KeepAlive = new SessionKeepAlive { SessionId = 7 } };
        Assert.Equal(code, (await client.AskAsync(keep)).KeepAlive.Error);
    }

    private async Task<string> CreateSessionAsync(int group) => (await _silo.SendAsync(
        "POST", "/v1/sessions", $$"""{"ttlSeconds":10,"namespace":"{{In[group]}}"}""")).Json.GetProperty("sessionId").GetString()!;
}
