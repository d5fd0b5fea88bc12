using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Replica.State;

namespace Coordinator.Tests.Silo;

/// <summary>Configuration over HTTP, with a real state behind it.</summary>
public sealed class HttpConfigTests : IAsyncLifetime
{
    private static readonly JsonSerializerOptions AsSent = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();
    private readonly State.Group _state = new();
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _silo = await HttpTestSilo.StartAsync();
        _silo.Group.Executing = (command, _) => Task.FromResult(Execute(command));
        _silo.Group.Querying = query => Task.FromResult(Ask(query));
    }

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_key_is_read_and_listed_at_a_revision()
    {
        await PutAsync("app/x", "one");
        await PutAsync("app/x", "two");
        await _silo.SendAsync("DELETE", "/v1/config/app/x");

        HttpAnswer then = await _silo.SendAsync("GET", "/v1/config/app/x?revision=1&consistency=serializable");
        Assert.Equal("one", Encoding.UTF8.GetString(then.Body));
        Assert.Equal(("\"1\"", "text/plain"), (then.Headers["ETag"], then.Headers["Content-Type"]));
        HttpAnswer listed = await _silo.SendAsync("GET", "/v1/config?prefix=app/&revision=2");
        Assert.Equal("two", Assert.Single(listed.Json.GetProperty("entries").EnumerateArray()).GetProperty("value").GetString());
        HttpAnswer count = await _silo.SendAsync("GET", "/v1/config?prefix=app/&revision=2&count=true");
        Assert.Equal("""{"count":1}""", Compact(count.Json));

        (await _silo.SendAsync("GET", "/v1/config/app/x?revision=4")).AssertProblem(ErrorCode.RevisionInFuture);
        (await _silo.SendAsync("GET", "/v1/config/app/x?revision=3")).AssertProblem(ErrorCode.KeyNotFound);
    }

    [Fact]
    public async Task What_was_compacted_is_gone_and_a_prefix_is_rolled_back()
    {
        await PutAsync("app/x", "one");
        await PutAsync("app/x", "two");
        await PutAsync("app/y", "new");

        Assert.Equal(4, (await PostAsync("/v1/config/rollback", """{"prefix":"app/","revision":1}""")).Json.GetProperty("revision").GetInt64());
        Assert.Equal("one", Encoding.UTF8.GetString((await _silo.SendAsync("GET", "/v1/config/app/x")).Body));
        (await _silo.SendAsync("GET", "/v1/config/app/y")).AssertProblem(ErrorCode.KeyNotFound);

        Assert.Equal(4, (await PostAsync("/v1/config/compact", """{"revision":3}""")).Json.GetProperty("revision").GetInt64());
        HttpAnswer gone = await _silo.SendAsync("GET", "/v1/config/app/x?revision=2");
        gone.AssertProblem(ErrorCode.Compacted);
        Assert.Equal(HttpStatusCode.Gone, gone.Status);
        (await PostAsync("/v1/config/rollback", """{"revision":3}""")).AssertProblem(ErrorCode.InvalidRequest);
        (await PostAsync("/v1/config/compact", "{}")).AssertProblem(ErrorCode.InvalidRequest);
        (await PostAsync("/v1/config/app/compact", "{}")).AssertProblem(ErrorCode.MethodNotAllowed);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync("compact", "a key like any other")).Status);
    }

    [Fact]
    public async Task A_put_and_a_delete_may_expect_what_they_replace()
    {
        HttpAnswer created = await PutAsync("k", "1", request => request.Headers.TryAddWithoutValidation("If-None-Match", "*"));
        Assert.Equal(HttpStatusCode.OK, created.Status);
        HttpAnswer again = await PutAsync("k", "1", request => request.Headers.TryAddWithoutValidation("If-None-Match", "*"));
        again.AssertProblem(ErrorCode.ConditionFailed);
        Assert.Equal(HttpStatusCode.PreconditionFailed, again.Status);

        string tag = (await _silo.SendAsync("GET", "/v1/config/k")).Headers["ETag"];
        Assert.Equal(HttpStatusCode.OK, (await PutAsync("k", "2", request => request.Headers.TryAddWithoutValidation("If-Match", tag))).Status);
        (await PutAsync("k", "3", request => request.Headers.TryAddWithoutValidation("If-Match", tag))).AssertProblem(ErrorCode.ConditionFailed);
        (await _silo.SendAsync("DELETE", "/v1/config/k?expectedVersion=1")).AssertProblem(ErrorCode.ConditionFailed);
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("DELETE", "/v1/config/k?expectedVersion=2&expectedRevision=2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync("k?expectedVersion=0", "4")).Status);
    }

    [Theory]
    [InlineData("If-Match", "*")]
    [InlineData("If-Match", "7")]
    [InlineData("If-Match", "\"x\"")]
    [InlineData("If-Match", "\"1\", \"2\"")]
    [InlineData("If-Match", "W/\"1\"")]
    [InlineData("If-None-Match", "\"1\"")]
    public async Task A_precondition_that_cannot_be_kept_is_refused(string header, string value)
    {
        HttpAnswer answer = await PutAsync("k", "1", request => request.Headers.TryAddWithoutValidation(header, value));
        answer.AssertProblem(ErrorCode.InvalidRequest);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Fact]
    public async Task A_key_bound_to_a_session_shows_it_and_ends_with_it()
    {
        long session = _state.Create();
        await PutAsync($"nodes/1?sessionId={session}&bindSession=true", "here");

        HttpAnswer shown = await _silo.SendAsync("GET", "/v1/config/nodes/1");
        Assert.Equal($"{session}", shown.Headers["X-Coordinator-Session"]);
        JsonElement entry = (await _silo.SendAsync("GET", "/v1/config?prefix=nodes/")).Json.GetProperty("entries")[0];
        Assert.Equal($"{session}", entry.GetProperty("sessionId").GetString());
        (await PutAsync("nodes/2?bindSession=true", "here")).AssertProblem(ErrorCode.InvalidRequest);

        _state.End(session);
        (await _silo.SendAsync("GET", "/v1/config/nodes/1")).AssertProblem(ErrorCode.KeyNotFound);
    }

    [Fact]
    public async Task A_transaction_does_one_branch_and_says_what_came_of_it()
    {
        const string Create = """
            {"compare":[{"key":"a","version":0}],
             "then":[{"put":"a","value":"1"},{"put":"b","valueBase64":"//4=","contentType":"image/png"},{"get":"a"}],
             "else":[{"get":"a"},{"get":"none"},{"delete":"a"},{"deletePrefix":"b"}]}
            """;
        HttpAnswer created = await PostAsync("/v1/txn", Create);
        Assert.True(created.Json.GetProperty("succeeded").GetBoolean());
        Assert.Equal(1, created.Json.GetProperty("revision").GetInt64());
        Assert.Equal("1", created.Json.GetProperty("results")[2].GetProperty("entry").GetProperty("value").GetString());
        Assert.Equal("image/png", (await _silo.SendAsync("GET", "/v1/config/b")).Headers["Content-Type"]);

        HttpAnswer second = await PostAsync("/v1/txn", Create);
        Assert.False(second.Json.GetProperty("succeeded").GetBoolean());
        Assert.Equal(
            """[{"entry":{"key":"a","contentType":"text/plain; charset=utf-8","version":1,"createRevision":1,"modifyRevision":1,"value":"1"}},{"entry":null},{"deleted":1},{"deleted":1}]""",
            Compact(second.Json.GetProperty("results")));
    }

    [Fact]
    public async Task A_repeated_transaction_is_told_the_branch_and_the_revision_but_no_results()
    {
        string body = $$"""{"sessionId":"{{_state.Create()}}","requestId":1,"then":[{"put":"a","value":"1"}]}""";
        Assert.Equal("""{"succeeded":true,"revision":1,"results":[{"version":1}]}""", Compact((await PostAsync("/v1/txn", body)).Json));
        Assert.Equal("""{"succeeded":true,"revision":1}""", Compact((await PostAsync("/v1/txn", body)).Json));
    }

    [Theory]
    [InlineData("""{}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":{}}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[7]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{"put":"a"}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{"put":"a","value":1}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{"put":"a","value":"1","valueBase64":"AA=="}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{"put":"a","valueBase64":"?"}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{"put":"a","value":"1","contentType":"x"}]}""", ErrorCode.UnsupportedContentType)]
    [InlineData("""{"then":[{"put":"a","value":"1","bindSession":true}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{"put":"a","value":"1"},{"delete":"a"}]}""", ErrorCode.DuplicateKey)]
    [InlineData("""{"then":[{"put":"a//b","value":"1"}]}""", ErrorCode.InvalidName)]
    [InlineData("""{"then":[{"get":"a","delete":"a"}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"then":[{"txn":[{"then":[]}]}]}""", ErrorCode.NestedTransaction)]
    [InlineData("""{"then":[{"then":[{"get":"a"}]}]}""", ErrorCode.NestedTransaction)]
    [InlineData("""{"compare":[{"key":"a"}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"compare":[{"key":"a","version":-1}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"compare":[{"key":"a","version":1,"exists":true}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"compare":[{"key":"a","exists":true,"is":"<"}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"compare":[{"key":"a","exists":"true"}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"compare":[{"key":"a","version":1,"is":"~"}]}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"requestId":1,"then":[{"get":"a"}]}""", ErrorCode.InvalidRequest)]
    public async Task A_bad_transaction_is_refused_by_name(string body, ErrorCode code)
    {
        (await PostAsync("/v1/txn", body)).AssertProblem(code);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Fact]
    public async Task A_transaction_has_room_for_a_value_of_the_largest_size()
    {
        string body = $$"""{"then":[{"put":"a","value":"{{new string('v', Limits.ValueBytesMax)}}"}]}""";
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("/v1/txn", body)).Status);
    }

    private CommandAnswer Execute(Command command)
    {
        lock (_lock)
        {
            ApplyResult applied = _state.Apply(command);
            return new CommandAnswer { Result = applied.Result, Message = applied.Message ?? "" };
        }
    }

    private QueryAnswer Ask(Query query)
    {
        lock (_lock)
            return _state.State.Query(query);
    }

    private Task<HttpAnswer> PostAsync(string path, string body) => _silo.SendAsync("POST", path, body);

    private Task<HttpAnswer> PutAsync(string key, string value, Action<HttpRequestMessage>? with = null) =>
        _silo.SendAsync("PUT", $"/v1/config/{key}", null, request =>
        {
            request.Content = new StringContent(value, Encoding.UTF8);
            request.Content.Headers.ContentType = new("text/plain");
            with?.Invoke(request);
        });

    private static string Compact(JsonElement json) => JsonSerializer.Serialize(json, AsSent);
}
