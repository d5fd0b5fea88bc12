using System.Net;
using System.Text;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

public sealed class HttpRawTargetTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Theory]
    [InlineData("/v1/config/a/b", "a/b")]
    [InlineData("/v1/config/a%2Fb", "a/b")]
    [InlineData("/v1/config/a%2fb", "a/b")]
    [InlineData("/v1/config/a%252Fb", "a%2Fb")]
    [InlineData("/v1/config/a+b", "a+b")]
    [InlineData("/v1/config/a%20b", "a b")]
    [InlineData("/v1/config/a%3Fb%23c", "a?b#c")]
    [InlineData("/v1/config/%D0%BA%D0%BB%D1%8E%D1%87", "ключ")]
    [InlineData("/v1/config/%F0%9F%98%80", "😀")]
    [InlineData("/v1/config/x/acquire", "x/acquire")]
    [InlineData("/v1/config/config", "config")]
    [InlineData("/v1/config/...", "...")]
    [InlineData("/v1/config/a;b=c:d@e", "a;b=c:d@e")]
    [InlineData("/v1/config/a\\b", "a\\b")]
    [InlineData("/v1/config/%2E%2Ea", "..a")]
    [InlineData("/v1/config/health/live", "health/live")]
    [InlineData("/v1/config/v1/connect", "v1/connect")]
    public async Task A_name_is_decoded_once_from_what_was_sent(string target, string name)
    {
        HttpAnswer answer = await _silo.SendTargetAsync(target, "PUT");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(name, _silo.Group.Proposed.Single().PutConfig.Key);
    }

    [Theory]
    [InlineData("/v1/config/a/../b")]
    [InlineData("/v1/config/../config/b")]
    [InlineData("/v1/config/a/./b")]
    [InlineData("/v1/config/a/%2E%2E/b")]
    [InlineData("/v1/config/a%2F..%2Fb")]
    [InlineData("/v1/config/a/%2e")]
    [InlineData("/v1/config/a//b")]
    [InlineData("/v1/config//a")]
    [InlineData("/v1/config/a/")]
    [InlineData("/v1/config/a%2F")]
    [InlineData("/v1/config/%2Fa")]
    [InlineData("/v1/config/")]
    [InlineData("/v1/config/..")]
    [InlineData("/v1/config/%zz")]
    [InlineData("/v1/config/a%")]
    [InlineData("/v1/config/a%4")]
    [InlineData("/v1/config/%C0%80")]
    [InlineData("/v1/config/%C0%AF")]
    [InlineData("/v1/config/%E0%80%AF")]
    [InlineData("/v1/config/%ED%A0%80")]
    [InlineData("/v1/config/%F5%80%80%80")]
    [InlineData("/v1/config/%FF")]
    [InlineData("/v1/config/%E2%82")]
    [InlineData("/v1/config/%EF%BF%BD")]
    [InlineData("/v1/config/a%0Ab")]
    [InlineData("/v1/config/a%7Fb")]
    [InlineData("/v1/config/a%C2%85b")]
    public async Task A_name_that_breaks_a_rule_is_refused(string target)
    {
        foreach (string method in new[] { "PUT", "GET", "DELETE" })
            (await _silo.SendTargetAsync(target, method)).AssertProblem(ErrorCode.InvalidName);
        Assert.Empty(_silo.Group.Proposed);
        Assert.Empty(_silo.Group.Asked);
    }

    [Theory]
    [InlineData("/v1/config?prefix=%zz")]
    [InlineData("/v1/config?prefix=%C0%AF")]
    [InlineData("/v1/config?prefix=%ED%A0%80")]
    [InlineData("/v1/config?%FF=1")]
    public async Task A_query_string_that_is_not_UTF8_is_refused(string target) =>
        (await _silo.SendTargetAsync(target)).AssertProblem(ErrorCode.InvalidRequest);

    [Theory]
    [InlineData("a+b%2Bc%20d", "a b+c d")]
    [InlineData("a%26b%3Dc", "a&b=c")]
    [InlineData("a=b=c", "a=b=c")]
    [InlineData("a/../b", "a/../b")]
    [InlineData("a?b", "a?b")]
    public async Task A_query_string_is_decoded_once(string encoded, string prefix)
    {
        await _silo.SendTargetAsync($"/v1/config?prefix={encoded}&&");
        Assert.Equal(prefix, _silo.Group.Asked.Single().ListConfig.Prefix);
    }

    [Fact]
    public async Task The_last_segment_of_a_POST_is_the_verb_and_all_between_the_name()
    {
        string session = await _silo.CreateSessionAsync();
        foreach (string name in new[] { "acquire", "x/acquire", "a/release", "locks", "x%2Facquire" })
            await _silo.SendAsync("POST", $"/v1/locks/{name}/acquire", $$"""{"sessionId":"{{session}}"}""");
        Assert.Equal(["acquire", "x/acquire", "a/release", "locks"],
            _silo.Group.Proposed.Where(c => c.AcquireLock is not null).Select(c => c.AcquireLock.Name).Distinct());
        (await _silo.SendTargetAsync("/v1/locks/x%2Facquire", "POST")).AssertProblem(ErrorCode.UnknownPath);
        (await _silo.SendTargetAsync("/v1/locks/acquire", "POST")).AssertProblem(ErrorCode.InvalidName);
        (await _silo.SendTargetAsync("/v1/locks//acquire", "POST")).AssertProblem(ErrorCode.InvalidName);
        (await _silo.SendTargetAsync("/v1/locks/a/../b/acquire", "POST")).AssertProblem(ErrorCode.InvalidName);
    }

    [Fact]
    public async Task An_absolute_target_names_the_same_resource()
    {
        string origin = $"http://127.0.0.1:{_silo.Address.Port}";
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendTargetAsync($"{origin}/v1/config/a%2Fb", "PUT")).Status);
        Assert.Equal("a/b", _silo.Group.Proposed.Single().PutConfig.Key);
        (await _silo.SendTargetAsync($"{origin}/v1/config/a/../b", "PUT")).AssertProblem(ErrorCode.InvalidName);
        (await _silo.SendTargetAsync(origin)).AssertProblem(ErrorCode.UnknownPath);
    }

    [Fact]
    public async Task An_absolute_target_for_another_host_is_not_served()
    {
        HttpAnswer answer = await _silo.SendTargetAsync("http://evil.example/v1/config/a", "PUT");
        Assert.InRange((int)answer.Status, 400, 499);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Theory]
    [InlineData("HeAD")]
    [InlineData("get")]
    public async Task A_method_in_another_case_is_another_method(string method) =>
        (await _silo.SendTargetAsync("/v1/status", method)).AssertProblem(ErrorCode.MethodNotAllowed);

    [Fact]
    public async Task The_asterisk_target_is_an_unknown_path() =>
        (await _silo.SendTargetAsync("*", "OPTIONS")).AssertProblem(ErrorCode.UnknownPath);

    [Theory]
    [InlineData("/v1/config/%00")]
    [InlineData("/v1/config/a\0b")]
    [InlineData("/v1/config/кey")]
    [InlineData("v1/config/a")]
    public async Task What_the_server_itself_refuses_reaches_nobody(string target)
    {
        HttpAnswer answer = await _silo.SendTargetAsync(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(target)), "PUT");
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Theory]
    [InlineData("zz")]
    [InlineData("-1")]
    [InlineData("fffffffff")]
    [InlineData("fffffffffffffffffffffffff")]
    public async Task A_body_whose_framing_is_broken_is_refused_by_name(string size)
    {
        HttpAnswer answer = await _silo.SendRawAsync(
            $"PUT /v1/config/a HTTP/1.1\r\nHost: localhost:{_silo.Address.Port}\r\n"
            + $"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{size}\r\n");
        answer.AssertProblem(ErrorCode.InvalidRequest);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Fact]
    public async Task A_body_far_over_every_limit_is_refused_by_name_before_it_is_sent()
    {
        foreach ((string request, ErrorCode code) in new[]
            { ("PUT /v1/config/a", ErrorCode.ValueTooLarge), ("POST /v1/sessions", ErrorCode.RequestTooLarge) })
        {
            HttpAnswer answer = await _silo.SendRawAsync(
                $"{request} HTTP/1.1\r\nHost: localhost:{_silo.Address.Port}\r\n"
                + "Content-Length: 99999999999\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
            answer.AssertProblem(code);
        }
    }
}
