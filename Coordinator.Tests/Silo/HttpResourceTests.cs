using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

public sealed class HttpResourceTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_read_may_send_back_the_index_that_it_has_seen()
    {
        await _silo.SendAsync("GET", "/v1/config/app/x", change: request => request.Headers.Add("X-Raft-Index", "17"));
        Assert.Equal(17, _silo.Group.Asked.Single().SeenIndex);

        HttpAnswer refused = await _silo.SendAsync("GET", "/v1/config/app/x", change: request => request.Headers.Add("X-Raft-Index", "-1"));
        refused.AssertProblem(ErrorCode.InvalidRequest);
    }

    [Fact]
    public async Task A_session_is_created_shown_kept_alive_and_ended()
    {
        HttpAnswer created = await _silo.SendAsync("POST", "/v1/sessions", """{"ttlSeconds":2.5,"metadata":"job 7"}""");
        Assert.Equal(HttpStatusCode.OK, created.Status);
        Assert.Equal(2.5m, created.Json.GetProperty("ttlSeconds").GetDecimal());
        string id = created.Json.GetProperty("sessionId").GetString()!;

        HttpAnswer shown = await _silo.SendAsync("GET", $"/v1/sessions/{id}");
        Assert.Equal("job 7", shown.Json.GetProperty("metadata").GetString());
        HttpAnswer listed = await _silo.SendAsync("GET", "/v1/sessions?limit=10");
        Assert.Equal(id, listed.Json.GetProperty("sessions")[0].GetProperty("sessionId").GetString());

        HttpAnswer kept = await _silo.SendAsync("POST", $"/v1/sessions/{id}/keepalive");
        Assert.Equal(2.5m, kept.Json.GetProperty("ttlSeconds").GetDecimal());

        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("DELETE", $"/v1/sessions/{id}")).Status);
        (await _silo.SendAsync("DELETE", $"/v1/sessions/{id}")).AssertProblem(ErrorCode.SessionNotFound);
        (await _silo.SendAsync("POST", $"/v1/sessions/{id}/keepalive")).AssertProblem(ErrorCode.SessionNotFound);
        (await _silo.SendAsync("GET", $"/v1/sessions/{id}")).AssertProblem(ErrorCode.SessionNotFound);
    }

    [Fact]
    public async Task A_create_with_a_nonce_can_be_repeated_and_one_without_gets_a_random_one()
    {
        const string Nonce = "00112233-4455-6677-8899-aabbccddeeff";
        await _silo.SendAsync("POST", "/v1/sessions", $$"""{"ttlSeconds":10,"nonce":"{{Nonce}}","namespace":"orders"}""");
        await _silo.SendAsync("POST", "/v1/sessions", """{"ttlSeconds":10}""");
        await _silo.SendAsync("POST", "/v1/sessions", """{"ttlSeconds":10}""");
        string[] nonces = [.. _silo.Group.Proposed.Select(c => Convert.ToHexString(c.CreateSession.Nonce.Span))];
        Assert.Equal("00112233445566778899AABBCCDDEEFF", nonces[0]);
        Assert.Equal(3, nonces.Distinct().Count());
    }

    [Fact]
    public async Task A_lock_is_acquired_shown_refused_to_others_and_released()
    {
        string mine = await _silo.CreateSessionAsync(), other = await _silo.CreateSessionAsync();

        HttpAnswer acquired = await _silo.SendAsync("POST", "/v1/locks/orders/42/acquire",
            $$"""{"sessionId":"{{mine}}","waitSeconds":5,"mode":"exclusive","label":"billing"}""");
        Assert.Equal(HttpStatusCode.OK, acquired.Status);
        long token = acquired.Json.GetProperty("token").GetInt64();
        Assert.True(token > 0);
        Assert.Equal(token, acquired.Json.GetProperty("floor").GetInt64());
        Assert.Equal("orders/42", acquired.Json.GetProperty("name").GetString());

        HttpAnswer refused = await _silo.SendAsync("POST", "/v1/locks/orders/42/acquire", $$"""{"sessionId":{{other}}}""");
        refused.AssertProblem(ErrorCode.LockNotAcquired);
        Assert.Equal("7", refused.Headers["X-Raft-Term"]);

        JsonElement holder = (await _silo.SendAsync("GET", "/v1/locks/orders/42")).Json.GetProperty("holders")[0];
        Assert.Equal(mine, holder.GetProperty("sessionId").GetString());
        Assert.Equal(token, holder.GetProperty("token").GetInt64());
        Assert.Equal(1.5m, holder.GetProperty("heldSeconds").GetDecimal());
        Assert.Single((await _silo.SendAsync("GET", "/v1/locks?prefix=orders/")).Json.GetProperty("locks").EnumerateArray());

        string release = $$"""{"sessionId":"{{mine}}","token":{{token - 1}}}""";
        (await _silo.SendAsync("POST", "/v1/locks/orders/42/release", release)).AssertProblem(ErrorCode.LockNotHeld);
        HttpAnswer released = await _silo.SendAsync("POST", "/v1/locks/orders/42/release",
            $$"""{"sessionId":"{{mine}}","token":{{token}}}""");
        Assert.True(released.Json.GetProperty("released").GetBoolean());
        (await _silo.SendAsync("GET", "/v1/locks/orders/42")).AssertProblem(ErrorCode.LockNotFound);
    }

    [Fact]
    public async Task An_acquire_that_was_cancelled_is_never_answered_as_a_grant()
    {
        CommandResult givenBack = new() { Outcome = Outcome.Cancelled, Token = 9 };
        _silo.Group.Executing = (_, _) => Task.FromResult(new CommandAnswer { Result = givenBack });
        HttpAnswer answer = await _silo.SendAsync("POST", "/v1/locks/a/acquire", """{"sessionId":7,"requestId":3}""");
        answer.AssertProblem(ErrorCode.LockNotAcquired);
    }

    [Fact]
    public async Task Waits_and_request_ids_reach_the_group_as_they_were_asked()
    {
        _silo.Group.Executing = (_, _) => Task.FromResult(new CommandAnswer { Result = new CommandResult { Token = 9 } });
        foreach (string wait in new[] { "0.0000001", "1.5", "86400", "\"unbounded\"" })
            await _silo.SendAsync("POST", "/v1/locks/a/acquire",
                $$"""{"sessionId":7,"waitSeconds":{{wait}},"requestId":3,"answeredBelow":2}""");
        Assert.Equal([1, 1_500_000, 86_400_000_000, -1], _silo.Group.Proposed.Select(c => c.AcquireLock.WaitUs));
        Assert.All(_silo.Group.Proposed, c => Assert.Equal((7, 3, 2), (c.SessionId, c.RequestId, c.AnsweredBelow)));
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_wait()
    {
        string mine = await _silo.CreateSessionAsync(), other = await _silo.CreateSessionAsync();
        await _silo.SendAsync("POST", "/v1/locks/a/acquire", $$"""{"sessionId":"{{mine}}"}""");
        using CancellationTokenSource leave = new();
        using StringContent body = new($$"""{"sessionId":"{{other}}","waitSeconds":60}""",
            new MediaTypeHeaderValue("application/json"));
        Task<HttpResponseMessage> waiting = _silo.Client.PostAsync("/v1/locks/a/acquire", body, leave.Token);
        Assert.True(await _silo.Group.Waiting.WaitAsync(HttpTestSilo.Patience));

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.True(await _silo.Group.Abandoned.WaitAsync(HttpTestSilo.Patience));
    }

    [Fact]
    public async Task A_value_comes_back_as_it_was_with_its_type_and_its_numbers()
    {
        byte[] value = [0, 255, 13, 10];
        HttpAnswer put = await PutAsync("/v1/config/app/x", value, "application/x-thing; a=\"b\"");
        Assert.Equal(1, put.Json.GetProperty("version").GetInt64());
        Assert.Equal(1, put.Json.GetProperty("revision").GetInt64());
        await PutAsync("/v1/config/app/x", value, "application/x-thing; a=\"b\"");

        HttpAnswer got = await _silo.SendAsync("GET", "/v1/config/app/x?consistency=serializable");

        Assert.Equal(value, got.Body);
        Assert.Equal("application/x-thing; a=\"b\"", got.Headers["Content-Type"]);
        Assert.Equal("2", got.Headers["X-Coordinator-Version"]);
        Assert.Equal("1", got.Headers["X-Coordinator-Create-Revision"]);
        Assert.Equal("2", got.Headers["X-Coordinator-Modify-Revision"]);
        Assert.Equal("2", got.Headers["X-Coordinator-Revision"]);
        Assert.Equal("0", got.Headers["X-Coordinator-Group"]);
        Assert.Equal("7", got.Headers["X-Raft-Term"]);
        Assert.NotEmpty(got.Headers["X-Raft-Index"]);
        Assert.True(_silo.Group.Asked.Single().Serializable);

        Assert.Equal(3, (await _silo.SendAsync("DELETE", "/v1/config/app/x")).Json.GetProperty("revision").GetInt64());
        (await _silo.SendAsync("GET", "/v1/config/app/x")).AssertProblem(ErrorCode.KeyNotFound);
        (await _silo.SendAsync("DELETE", "/v1/config/app/x")).AssertProblem(ErrorCode.KeyNotFound);
    }

    [Fact]
    public async Task A_stored_page_cannot_run_in_the_silos_origin()
    {
        await PutAsync("/v1/config/page", "<script>alert(1)</script>"u8.ToArray(), "text/html");
        HttpAnswer got = await _silo.SendAsync("GET", "/v1/config/page");
        Assert.Equal("text/html", got.Headers["Content-Type"]);
        Assert.Equal("nosniff", got.Headers["X-Content-Type-Options"]);
        Assert.Contains("sandbox", got.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", got.Headers["Content-Security-Policy"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stored_type_that_is_no_header_is_not_sent_as_one()
    {
        using WireTestClient client = await _silo.ConnectAsync();
        PutConfig put = new() { Key = "k", ContentType = "текст, не тип" };
        await client.AskAsync(new ClientFrame { CorrelationId = 1, Command = new Command { PutConfig = put } });
        HttpAnswer got = await _silo.SendAsync("GET", "/v1/config/k");
        Assert.Equal(HttpStatusCode.OK, got.Status);
        Assert.Equal("application/octet-stream", got.Headers["Content-Type"]);
    }

    [Fact]
    public async Task A_value_may_be_empty_or_of_exactly_the_limit_but_not_a_byte_more()
    {
        Assert.Equal(HttpStatusCode.OK, (await PutAsync("/v1/config/empty", [], null)).Status);
        HttpAnswer empty = await _silo.SendAsync("GET", "/v1/config/empty");
        Assert.Equal("application/octet-stream", empty.Headers["Content-Type"]);
        Assert.Empty(empty.Body);

        byte[] largest = new byte[Limits.ValueBytesMax];
        new Random(1).NextBytes(largest);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync("/v1/config/large", largest, null)).Status);
        Assert.Equal(largest, (await _silo.SendAsync("GET", "/v1/config/large")).Body);

        int proposed = _silo.Group.Proposed.Count;
        (await PutAsync("/v1/config/large", [.. largest, 0], null)).AssertProblem(ErrorCode.ValueTooLarge);
        Assert.Equal(proposed, _silo.Group.Proposed.Count);
    }

    [Fact]
    public async Task A_body_without_a_stated_length_is_cut_off_at_the_limit()
    {
        HttpAnswer answer = await _silo.SendAsync("PUT", "/v1/config/k", null, request =>
        {
            request.Content = new StreamContent(new MemoryStream(new byte[Limits.ValueBytesMax + 1]));
            request.Headers.TransferEncodingChunked = true;
        });
        answer.AssertProblem(ErrorCode.ValueTooLarge);
        Assert.Empty(_silo.Group.Proposed);
    }

    [Fact]
    public async Task A_listing_shows_text_as_text_and_bytes_as_base64()
    {
        await PutAsync("/v1/config/a/1", "höhe \"<1>\""u8.ToArray(), "text/plain");
        await PutAsync("/v1/config/a/2", [0xff, 0xfe], null);
        await PutAsync("/v1/config/b", [], null);

        HttpAnswer listed = await _silo.SendAsync("GET", "/v1/config?prefix=a%2F&limit=2");

        JsonElement[] entries = [.. listed.Json.GetProperty("entries").EnumerateArray()];
        Assert.Equal(["a/1", "a/2"], entries.Select(e => e.GetProperty("key").GetString()));
        Assert.Equal("höhe \"<1>\"", entries[0].GetProperty("value").GetString());
        Assert.Equal("//4=", entries[1].GetProperty("valueBase64").GetString());
        Assert.True(listed.Json.GetProperty("more").GetBoolean());

        HttpAnswer keys = await _silo.SendAsync("GET", "/v1/config?after=a%2F1&values=false");
        entries = [.. keys.Json.GetProperty("entries").EnumerateArray()];
        Assert.Equal(["a/2", "b"], entries.Select(e => e.GetProperty("key").GetString()));
        Assert.All(entries, e => Assert.False(e.TryGetProperty("value", out _) || e.TryGetProperty("valueBase64", out _)));
        Assert.True(_silo.Group.Asked.Last().ListConfig.KeysOnly);
    }

    [Fact]
    public async Task Status_and_health_tell_what_the_peers_know()
    {
        HttpAnswer status = await _silo.SendAsync("GET", "/v1/status");
        JsonElement group = status.Json.GetProperty("groups")[0];
        Assert.Equal(2, group.GetProperty("leader").GetInt64());
        Assert.Equal("no disk", group.GetProperty("peers")[1].GetProperty("detail").GetString());
        Assert.Equal("7", status.Headers["X-Raft-Term"]);

        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("GET", "/health/ready")).Status);
        _silo.Group.Ready = false;
        (await _silo.SendAsync("GET", "/health/ready")).AssertProblem(ErrorCode.NoQuorum);
        Assert.Equal(HttpStatusCode.OK, (await _silo.SendAsync("GET", "/health/live")).Status);
    }

    [Fact]
    public async Task A_HEAD_is_a_GET_without_its_body()
    {
        await PutAsync("/v1/config/k", "value"u8.ToArray(), "text/plain");
        HttpAnswer head = await _silo.SendAsync("HEAD", "/v1/config/k");
        Assert.Equal("5", head.Headers["Content-Length"]);
        Assert.Empty(head.Body);
    }

    private Task<HttpAnswer> PutAsync(string path, byte[] value, string? contentType) =>
        _silo.SendAsync("PUT", path, null, request =>
        {
            request.Content = new ByteArrayContent(value);
            if (contentType is not null)
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        });
}
