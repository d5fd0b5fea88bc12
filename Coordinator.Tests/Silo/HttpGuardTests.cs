using System.Net;
using System.Net.WebSockets;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

public sealed class HttpGuardTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync(options =>
    {
        options.AllowedHosts = ["silo.example", "port.example:99"];
        options.AllowedOrigins = ["https://console.example"];
    });

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("127.9.9.9:7400")]
    [InlineData("LocalHost:7400")]
    [InlineData("[::1]:7400")]
    [InlineData("silo.example")]
    [InlineData("Silo.Example:7400")]
    [InlineData("port.example:99")]
    public async Task Its_own_names_are_served(string host) =>
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(host)).Status);

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:7400")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("10.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("port.example:98")]
    [InlineData("")]
    [InlineData("a$b")]
    [InlineData("hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh$h")]
    public async Task An_unknown_host_is_refused(string host) => (await GetAsync(host)).AssertProblem(ErrorCode.ForbiddenHost);

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://localhost:3000")]
    [InlineData("null")]
    [InlineData("")]
    public async Task A_foreign_page_changes_nothing(string origin)
    {
        foreach ((string method, string path) in new[] { ("POST", "/v1/sessions"), ("PUT", "/v1/config/k"), ("DELETE", "/v1/config/k") })
            (await SendFromAsync(method, path, origin)).AssertProblem(ErrorCode.ForbiddenOrigin);
        Assert.Empty(_silo.Group.Proposed);
        Assert.Equal(HttpStatusCode.OK, (await SendFromAsync("GET", "/v1/status", origin)).Status);
    }

    [Fact]
    public async Task Its_own_page_and_an_allowed_one_may_call()
    {
        foreach (string origin in new[] { $"http://127.0.0.1:{_silo.Address.Port}", "https://console.example" })
            Assert.Equal(HttpStatusCode.OK, (await SendFromAsync("PUT", "/v1/config/k", origin)).Status);
    }

    [Fact]
    public async Task No_answer_lets_a_foreign_page_read_it() =>
        Assert.DoesNotContain("Access-Control-Allow-Origin",
            (await SendFromAsync("GET", "/v1/status", "https://evil.example")).Headers.Keys);

    [Fact]
    public async Task A_foreign_page_opens_no_WebSocket()
    {
        WebSocketException refused = await Assert.ThrowsAsync<WebSocketException>(() =>
            _silo.OpenSocketAsync(options => options.SetRequestHeader("Origin", "https://evil.example")));
        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
        using ClientWebSocket own = await _silo.OpenSocketAsync(options =>
            options.SetRequestHeader("Origin", $"http://127.0.0.1:{_silo.Address.Port}"));
        Assert.Equal(WebSocketState.Open, own.State);
    }

    private Task<HttpAnswer> GetAsync(string host) =>
        _silo.SendRawAsync($"GET /v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

    private Task<HttpAnswer> SendFromAsync(string method, string path, string origin) => _silo.SendRawAsync(
        $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{_silo.Address.Port}\r\nOrigin: {origin}\r\nConnection: close\r\n"
        + "Content-Length: 0\r\n\r\n");
}
