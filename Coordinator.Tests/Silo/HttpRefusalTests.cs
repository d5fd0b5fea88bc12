using System.Net;
using System.Text.RegularExpressions;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Silo;

/// <summary>What a real group refuses because of its state: by name, and it is as it was before.</summary>
[Collection(PostgresCollection.Name)]
public sealed partial class HttpRefusalTests(PostgresServer server) : IAsyncLifetime
{
    private string _database = "";
    private SiloGroups _group = null!;
    private HttpTestSilo _silo = null!;
    private string _session = "";
    private string _ended = "";

    public async Task InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        _group = await SiloGroups.StartAsync(
            new SiloGroupOptions
            {
                Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(_database) },
                SiloId = "test",
                Replica = new ReplicaOptions { TickUs = 20_000 },
            },
            TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        _silo = await HttpTestSilo.StartAsync(_group.Gateways[0]);
        _session = await _silo.CreateSessionAsync();
        _ended = await _silo.CreateSessionAsync();
        await DoneAsync("DELETE", $"/v1/sessions/{_ended}");
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _group.DisposeAsync();
        await server.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task What_holdings_do_not_allow_is_refused_and_changes_nothing()
    {
        string other = await _silo.CreateSessionAsync();
        await DoneAsync("POST", "/v1/locks/a/acquire", $$"""{"sessionId":"{{_session}}"}""");
        await DoneAsync("POST", "/v1/semaphores/s/acquire", $$"""{"sessionId":"{{_session}}","limit":2}""");
        await DoneAsync("POST", "/v1/elections/e/campaign", $$"""{"sessionId":"{{_session}}","value":"v"}""");
        await DoneAsync("POST", "/v1/leases/l/acquire", """{"owner":"o","ttlSeconds":60}""");
        await AssertRefusedAsync(
        [
            ("POST", "/v1/locks/b/acquire", $$"""{"sessionId":"{{_ended}}"}""", ErrorCode.SessionNotFound),
            ("POST", $"/v1/sessions/{_ended}/keepalive", null, ErrorCode.SessionNotFound),
            ("DELETE", $"/v1/sessions/{_ended}", null, ErrorCode.SessionNotFound),
            ("GET", $"/v1/sessions/{_ended}", null, ErrorCode.SessionNotFound),
            ("POST", "/v1/locks/a/acquire", $$"""{"sessionId":"{{_session}}"}""", ErrorCode.LockAlreadyHeld),
            ("POST", "/v1/locks/a/acquire", $$"""{"sessionId":"{{other}}"}""", ErrorCode.LockNotAcquired),
            ("POST", "/v1/locks/free/acquire", $$"""{"sessionId":"{{other}}","also":[{"name":"a"}]}""", ErrorCode.LockNotAcquired),
            ("POST", "/v1/locks/a/release", $$"""{"sessionId":"{{_session}}","token":1}""", ErrorCode.LockNotHeld),
            ("POST", "/v1/locks/a/downgrade", $$"""{"sessionId":"{{_session}}","token":1}""", ErrorCode.LockNotHeld),
            ("POST", "/v1/locks/a/release", $$"""{"sessionId":"{{other}}"}""", ErrorCode.LockNotHeld),
            ("POST", "/v1/locks/a/force-release", """{"token":1,"reason":"old"}""", ErrorCode.LockNotFound),
            ("POST", "/v1/locks/b/force-release", """{"reason":"nobody"}""", ErrorCode.LockNotFound),
            ("POST", "/v1/leases/x/request-release", """{"reason":"nobody"}""", ErrorCode.LockNotFound),
            ("POST", "/v1/semaphores/s/acquire", $$"""{"sessionId":"{{other}}","limit":3}""", ErrorCode.LimitMismatch),
            ("POST", "/v1/elections/e/proclaim", $$"""{"sessionId":"{{other}}","value":"w"}""", ErrorCode.LockNotHeld),
            ("POST", "/v1/elections/e/hand-over", $$"""{"sessionId":"{{_session}}","toSessionId":"{{other}}"}""", ErrorCode.CandidateNotFound),
            ("POST", "/v1/leases/l/acquire", """{"owner":"p","ttlSeconds":60}""", ErrorCode.LockNotAcquired),
            ("POST", "/v1/leases/l/renew", """{"leaseId":"1"}""", ErrorCode.LeaseNotFound),
            ("POST", "/v1/leases/l/release", """{"leaseId":"1"}""", ErrorCode.LeaseNotFound),
            ("GET", $"/v1/sessions/{_session}/wait?requestId=9", null, ErrorCode.NotWaiting),
            ("POST", $"/v1/sessions/{_session}/cancel-wait", """{"entryIndex":9}""", ErrorCode.NotWaiting),
        ]);
    }

    [Fact]
    public async Task What_the_configuration_does_not_allow_is_refused_and_changes_nothing()
    {
        long first = (await DoneAsync("PUT", "/v1/config/k", "1")).Json.GetProperty("revision").GetInt64();
        long second = (await DoneAsync("PUT", "/v1/config/k", "2")).Json.GetProperty("revision").GetInt64();
        await DoneAsync("POST", "/v1/config/compact", $$"""{"revision":{{second}}}""");
        string numbered = $"sessionId={_session}&requestId=2&answeredBelow=2";
        await DoneAsync("PUT", $"/v1/config/n?{numbered}", "1");
        const long Future = long.MaxValue - 1;
        await AssertRefusedAsync(
        [
            ("GET", "/v1/config/none", null, ErrorCode.KeyNotFound),
            ("DELETE", "/v1/config/none", null, ErrorCode.KeyNotFound),
            ("GET", $"/v1/config/k?revision={Future}", null, ErrorCode.RevisionInFuture),
            ("GET", $"/v1/config?revision={Future}", null, ErrorCode.RevisionInFuture),
            ("POST", "/v1/config/compact", $$"""{"revision":{{Future}}}""", ErrorCode.RevisionInFuture),
            ("POST", "/v1/config/rollback", $$"""{"prefix":"","revision":{{Future}}}""", ErrorCode.RevisionInFuture),
            ("GET", $"/v1/config/k?revision={first}", null, ErrorCode.Compacted),
            ("GET", $"/v1/config?revision={first}", null, ErrorCode.Compacted),
            ("POST", "/v1/config/rollback", $$"""{"prefix":"","revision":{{first}}}""", ErrorCode.Compacted),
            ("PUT", "/v1/config/k?expectedVersion=1", "3", ErrorCode.ConditionFailed),
            ("PUT", "/v1/config/k?expectedRevision=0", "3", ErrorCode.ConditionFailed),
            ("DELETE", $"/v1/config/k?expectedRevision={first}", null, ErrorCode.ConditionFailed),
            ("PUT", $"/v1/config/k?sessionId={_ended}", "3", ErrorCode.SessionNotFound),
            ("PUT", $"/v1/config/k?sessionId={_session}&requestId=1&answeredBelow=1", "3", ErrorCode.RequestIdStale),
            ("DELETE", $"/v1/config/k?{numbered}", null, ErrorCode.RequestMismatch),
            ("POST", "/v1/txn", """{"then":[{"put":"k","value":"3"},{"delete":"k"}]}""", ErrorCode.DuplicateKey),
        ]);

        string before = await StateAsync();
        HttpAnswer missing = await DoneAsync(
            "POST", "/v1/txn", """{"compare":[{"key":"none","version":1}],"then":[{"put":"k","value":"3"}]}""");
        Assert.False(missing.Json.GetProperty("succeeded").GetBoolean());
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task What_the_peers_do_not_allow_is_refused_and_changes_nothing() => await AssertRefusedAsync(
    [
        ("DELETE", "/v1/groups/0/peers/99", null, ErrorCode.PeerNotFound),
        ("POST", "/v1/groups/0/transfer-leadership", """{"to":99}""", ErrorCode.PeerNotFound),
        ("GET", "/v1/groups/1/peers", null, ErrorCode.InvalidRequest),
        ("POST", "/v1/groups/1/peers", "{}", ErrorCode.InvalidRequest),
    ]);

    private async Task AssertRefusedAsync((string Method, string Path, string? Body, ErrorCode Code)[] requests)
    {
        string before = await StateAsync();
        foreach ((string method, string path, string? body, ErrorCode code) in requests)
        {
            HttpAnswer answer = await _silo.SendAsync(method, path, body);
            Assert.True(answer.Code == code.ToString(), $"{method} {path} {body} is {answer.Text}, not {code}");
            answer.AssertProblem(code);
        }
        Assert.Equal(before, await StateAsync());
    }

    /// <summary>All that can be listed, without what the passing of time changes.</summary>
    private async Task<string> StateAsync()
    {
        List<string> parts = [];
        foreach (string path in new[] { "locks", "semaphores", "elections", "leases", "config", "sessions", "forced-releases" })
        {
            HttpAnswer answer = await DoneAsync("GET", $"/v1/{path}");
            parts.Add($"{answer.Headers["X-Coordinator-Revision"]} {TimePassing().Replace(answer.Text, "")}");
        }
        HttpAnswer peers = await DoneAsync("GET", "/v1/groups/0/peers");
        parts.AddRange(peers.Json.GetProperty("peers").EnumerateArray().Select(peer => $"{peer.GetProperty("peer")} {peer.GetProperty("role")}"));
        return string.Join('\n', parts);
    }

    private async Task<HttpAnswer> DoneAsync(string method, string path, string? body = null)
    {
        HttpAnswer answer = await _silo.SendAsync(method, path, body);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{method} {path}: {answer.Text}");
        return answer;
    }

    [GeneratedRegex("\"[a-z]+Seconds\":[0-9.]+")]
    private static partial Regex TimePassing();
}
