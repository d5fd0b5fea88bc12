using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

public sealed class HttpBadInputTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Theory]
    [InlineData("", ErrorCode.InvalidTtl)]
    [InlineData("{}", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":0}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":-1}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":0.4999}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":86400.1}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":1e999}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":-1e999}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":"10"}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":"NaN"}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":null}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":[10]}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":true}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":NaN}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"ttlSeconds":10}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"ttl\u0053econds":10}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"colour":"red"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"TtlSeconds":10}""", ErrorCode.InvalidTtl)]
    [InlineData("""{"ttlSeconds":10,"metadata":7}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"metadata":"a\u0000b"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"metadata":"\ud800"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"\ud800":1}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"nonce":"x"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,"namespace":"a/b"}""", ErrorCode.InvalidName)]
    [InlineData("""{"ttlSeconds":10""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10}}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10,}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"ttlSeconds":10}/**/""", ErrorCode.InvalidRequest)]
    [InlineData("[]", ErrorCode.InvalidRequest)]
    [InlineData("10", ErrorCode.InvalidRequest)]
    [InlineData("null", ErrorCode.InvalidRequest)]
    [InlineData("\0", ErrorCode.InvalidRequest)]
    public Task A_bad_session_is_refused_by_name(string json, ErrorCode code) =>
        AssertRefusedAsync("POST", "/v1/sessions", json, code);

    [Theory]
    [InlineData("{}", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":"x"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":""}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":0}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":-7}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":7.5}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":7e0}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":" 7"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":99999999999999999999}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":true}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":"7","waitSeconds":-1}""", ErrorCode.InvalidWait)]
    [InlineData("""{"sessionId":"7","waitSeconds":-0.001}""", ErrorCode.InvalidWait)]
    [InlineData("""{"sessionId":"7","waitSeconds":86401}""", ErrorCode.InvalidWait)]
    [InlineData("""{"sessionId":"7","waitSeconds":1e999}""", ErrorCode.InvalidWait)]
    [InlineData("""{"sessionId":"7","waitSeconds":"5"}""", ErrorCode.InvalidWait)]
    [InlineData("""{"sessionId":"7","waitSeconds":"forever"}""", ErrorCode.InvalidWait)]
    [InlineData("""{"sessionId":"7","waitSeconds":null}""", ErrorCode.InvalidWait)]
    [InlineData("""{"sessionId":"7","mode":"common"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":"7","label":"a\nb"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":"7","requestId":0}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":"7","requestId":"1"}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":"7","requestId":1.5}""", ErrorCode.InvalidRequest)]
    [InlineData("""{"sessionId":"7","token":42}""", ErrorCode.InvalidRequest)]
    public Task A_bad_acquire_is_refused_by_name(string json, ErrorCode code) =>
        AssertRefusedAsync("POST", "/v1/locks/a/acquire", json, code);

    [Theory]
    [InlineData("""{"token":1}""")]
    [InlineData("""{"sessionId":"7","token":0}""")]
    [InlineData("""{"sessionId":"7","token":-1}""")]
    [InlineData("""{"sessionId":"7","token":"1"}""")]
    [InlineData("""{"sessionId":"7","token":1.5}""")]
    [InlineData("""{"sessionId":"7","waitSeconds":1}""")]
    public Task A_bad_release_is_refused_by_name(string json) =>
        AssertRefusedAsync("POST", "/v1/locks/a/release", json, ErrorCode.InvalidRequest);

    [Theory]
    [InlineData("GET", "/v1/config?limit=0")]
    [InlineData("GET", "/v1/config?limit=1001")]
    [InlineData("GET", "/v1/config?limit=-1")]
    [InlineData("GET", "/v1/config?limit=1.5")]
    [InlineData("GET", "/v1/config?limit=NaN")]
    [InlineData("GET", "/v1/config?limit=")]
    [InlineData("GET", "/v1/config?values=yes")]
    [InlineData("GET", "/v1/config?prefix=a&prefix=b")]
    [InlineData("GET", "/v1/config?colour=red")]
    [InlineData("GET", "/v1/config/k?consistency=eventual")]
    [InlineData("PUT", "/v1/config/k?ttl=5")]
    [InlineData("PUT", "/v1/config/k?requestId=5")]
    [InlineData("DELETE", "/v1/config/k?sessionId=x")]
    [InlineData("GET", "/v1/locks?limit=0")]
    [InlineData("GET", "/v1/sessions?after=x")]
    [InlineData("GET", "/v1/sessions/x")]
    [InlineData("GET", "/v1/sessions/0")]
    [InlineData("GET", "/v1/sessions/-1")]
    [InlineData("GET", "/v1/sessions/1.0")]
    [InlineData("GET", "/v1/sessions/99999999999999999999")]
    [InlineData("DELETE", "/v1/sessions/x")]
    [InlineData("POST", "/v1/sessions/x/keepalive")]
    [InlineData("POST", "/v1/sessions?ttlSeconds=10", """{"ttlSeconds":10}""")]
    [InlineData("POST", "/v1/sessions/7/keepalive", """{"ttlSeconds":10}""")]
    [InlineData("POST", "/v1/locks/a/acquire?sessionId=7", """{"sessionId":7}""")]
    public Task A_bad_query_or_id_is_refused_by_name(string method, string path, string? json = null) =>
        AssertRefusedAsync(method, path, json, ErrorCode.InvalidRequest);

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v1")]
    [InlineData("GET", "/v2/sessions")]
    [InlineData("GET", "/V1/sessions")]
    [InlineData("GET", "/v1/status/x")]
    [InlineData("GET", "/v1/leasing/a")]
    [InlineData("POST", "/v1/sessions/7/renew")]
    [InlineData("POST", "/v1/locks/a")]
    [InlineData("POST", "/v1/locks/a/steal")]
    [InlineData("GET", "/health")]
    [InlineData("POST", "/health/x")]
    public Task An_unknown_path_is_refused_by_name(string method, string path) =>
        AssertRefusedAsync(method, path, null, ErrorCode.UnknownPath);

    [Theory]
    [InlineData("PUT", "/v1/sessions", "GET, HEAD, POST")]
    [InlineData("PATCH", "/v1/sessions/7", "GET, HEAD, DELETE")]
    [InlineData("GET", "/v1/sessions/7/keepalive", "POST")]
    [InlineData("POST", "/v1/locks", "GET, HEAD")]
    [InlineData("DELETE", "/v1/locks/a", "GET, HEAD")]
    [InlineData("PUT", "/v1/locks/a/acquire", "GET, HEAD, POST")]
    [InlineData("DELETE", "/v1/config", "GET, HEAD")]
    [InlineData("POST", "/v1/config/a", "GET, HEAD, PUT, DELETE")]
    [InlineData("OPTIONS", "/v1/config/a", "GET, HEAD, PUT, DELETE")]
    [InlineData("BREW", "/v1/status", "GET, HEAD")]
    [InlineData("POST", "/health/ready", "GET, HEAD")]
    public async Task A_wrong_method_is_refused_with_the_right_ones(string method, string path, string allowed)
    {
        HttpAnswer answer = await _silo.SendAsync(method, path);
        answer.AssertProblem(ErrorCode.MethodNotAllowed);
        Assert.Equal(allowed, answer.Headers["Allow"]);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain")]
    [InlineData("text/json")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("nonsense")]
    public async Task A_body_of_another_type_is_refused_with_what_to_add(string contentType)
    {
        HttpAnswer answer = await _silo.SendAsync("POST", "/v1/sessions", """{"ttlSeconds":10}""", request =>
        {
            request.Content!.Headers.Remove("Content-Type");
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        });
        answer.AssertProblem(ErrorCode.UnsupportedContentType);
        Assert.Contains("-H 'Content-Type: application/json'", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON; charset=UTF-8")]
    [InlineData(null)]
    public async Task JSON_is_taken_with_its_type_or_with_none(string? contentType)
    {
        HttpAnswer answer = await _silo.SendAsync("POST", "/v1/sessions", """{"ttlSeconds":10}""", request =>
            request.Content!.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("text/plain, text/html")]
    public async Task A_value_with_a_type_that_is_none_is_refused(string contentType)
    {
        HttpAnswer answer = await _silo.SendAsync("PUT", "/v1/config/k", "1", request =>
        {
            request.Content!.Headers.Remove("Content-Type");
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        });
        answer.AssertProblem(ErrorCode.UnsupportedContentType);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Fact]
    public async Task A_compressed_body_is_refused()
    {
        foreach ((string method, string path) in new[] { ("POST", "/v1/sessions"), ("PUT", "/v1/config/k") })
            (await _silo.SendAsync(method, path, "{}", request => request.Content!.Headers.ContentEncoding.Add("gzip")))
                .AssertProblem(ErrorCode.UnsupportedContentType);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Fact]
    public async Task JSON_that_is_not_UTF8_or_too_long_is_refused()
    {
        byte[] invalid = [.. "{\"ttlSeconds\":10,\"metadata\":\""u8, 0xc0, 0x80, .. "\"}"u8];
        foreach ((byte[] body, ErrorCode code) in new[]
            { (invalid, ErrorCode.InvalidRequest), (Encoding.ASCII.GetBytes(new string(' ', 70_000)), ErrorCode.RequestTooLarge) })
        {
            HttpAnswer answer = await _silo.SendAsync("POST", "/v1/sessions", "", request =>
                request.Content = new ByteArrayContent(body));
            answer.AssertProblem(code);
        }
        Assert.Empty(_silo.Group.Proposed);
    }

    [Fact]
    public async Task A_name_of_exactly_the_limit_is_taken_and_a_byte_more_is_not()
    {
        string longest = new('n', Limits.NameBytesMax);
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("PUT", $"/v1/config/{longest}", "1")).Status);
        (await _silo.SendAsync("PUT", $"/v1/config/{longest}n", "1")).AssertProblem(ErrorCode.InvalidName);
        (await _silo.SendAsync("GET", $"/v1/config?prefix={longest}n")).AssertProblem(ErrorCode.InvalidName);
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("GET", $"/v1/config?prefix={longest}")).Status);
    }

    [Fact]
    public async Task Whatever_the_group_refuses_has_its_own_code_and_status()
    {
        foreach (ErrorCode code in Enum.GetValues<ErrorCode>().Where(code => code != ErrorCode.Ok))
        {
            _silo.Group.Executing = (_, _) => Task.FromResult(new CommandAnswer
            {
                Result = new CommandResult { Error = code },
                LeaderHint = "http://there",
            });
            HttpAnswer answer = await _silo.SendAsync("DELETE", "/v1/config/k");
            answer.AssertProblem(code);
            Assert.Equal("http://there", answer.Json.GetProperty("leader").GetString());
            Assert.Equal(code is ErrorCode.Internal or ErrorCode.RolledBack, (int)answer.Status == 500);
            Assert.Equal((int)answer.Status == 503, answer.Headers.ContainsKey("Retry-After"));
        }
    }

    [Fact]
    public async Task A_command_that_fails_in_the_silo_is_unknown_and_a_query_is_internal()
    {
        _silo.Group.Executing = (_, _) => throw new InvalidOperationException("broken");
        _silo.Group.Querying = _ => throw new InvalidOperationException("broken");
        (await _silo.SendAsync("PUT", "/v1/config/k", "1")).AssertProblem(ErrorCode.OutcomeUnknown);
        HttpAnswer query = await _silo.SendAsync("GET", "/v1/config/k");
        query.AssertProblem(ErrorCode.Internal);
        Assert.DoesNotContain("broken", query.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_impossible_answer_is_named_too()
    {
        _silo.Group.Querying = _ => Task.FromResult(new QueryAnswer());
        (await _silo.SendAsync("GET", "/v1/config/k")).AssertProblem(ErrorCode.Internal);
    }

    private async Task AssertRefusedAsync(string method, string path, string? json, ErrorCode code)
    {
        (await _silo.SendAsync(method, path, json)).AssertProblem(code);
        Assert.Empty(_silo.Group.Proposed);
        Assert.Empty(_silo.Group.Asked);
    }
}
