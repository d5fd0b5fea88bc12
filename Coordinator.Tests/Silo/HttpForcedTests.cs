using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

/// <summary>Several together, waits, forced and requested releases, and peers over HTTP: what reaches the group, and what comes back.</summary>
public sealed class HttpForcedTests : IAsyncLifetime
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task Several_are_asked_for_together_and_each_has_its_floor()
    {
        Answer(new CommandResult { Outcome = Outcome.Granted, Token = 9, Floor = 9, AlsoFloors = { 4, 9 } });

        HttpAnswer answer = await PostAsync("locks/a/acquire",
            """{"sessionId":7,"also":[{"name":"b","mode":"shared"},{"kind":"semaphore","name":"s","permits":2,"limit":5}]}""");

        Assert.Equal(
            """[{"kind":"lock","name":"b","floor":4},{"kind":"semaphore","name":"s","floor":9}]""",
            answer.Json.GetProperty("also").GetRawText());
        Assert.Equal(
            new AcquireLock
            {
                Name = "a",
                Also =
                {
                    new AlsoAcquire { Name = "b", Shared = true },
                    new AlsoAcquire { Kind = HoldingKind.Semaphore, Name = "s", Permits = 2, Limit = 5 },
                },
            },
            Assert.Single(_silo.Group.Proposed).AcquireLock);
    }

    [Theory]
    [InlineData("locks", HoldingKind.Lock)]
    [InlineData("semaphores", HoldingKind.Semaphore)]
    [InlineData("elections", HoldingKind.Election)]
    [InlineData("leases", HoldingKind.Lease)]
    public async Task A_holding_of_each_kind_is_taken_away_or_asked_for(string path, HoldingKind kind)
    {
        Answer(new CommandResult { Outcome = Outcome.Done });

        await PostAsync($"{path}/a/b/force-release", """{"token":5,"reason":"hangs"}""");
        HttpAnswer asked = await PostAsync($"{path}/a/b/request-release", """{"sessionId":"7","requestId":2,"reason":"please"}""");

        Assert.Equal("""{"name":"a/b","requested":true}""", asked.Text.TrimEnd());
        Assert.Equal(
            [
                new Command { ForceRelease = new ForceRelease { Kind = kind, Name = "a/b", Token = 5, Reason = "hangs" } },
                new Command
                {
                    SessionId = 7,
                    RequestId = 2,
                    RequestRelease = new RequestRelease { Kind = kind, Name = "a/b", Reason = "please" },
                },
            ],
            _silo.Group.Proposed);
    }

    [Fact]
    public async Task A_forced_lease_is_listed_with_its_owner()
    {
        ForcedRelease forced = new()
        {
            Number = 3,
            EntryIndex = 8,
            AgoUs = 500_000,
            Kind = HoldingKind.Lease,
            Name = "l",
            Token = 6,
            Label = "o",
            Caller = "c",
            Reason = "r",
        };
        _silo.Group.Querying = _ => Task.FromResult(new QueryAnswer { ForcedReleases = { forced }, More = true });

        HttpAnswer answer = await _silo.SendAsync("GET", "/v1/forced-releases?after=0&limit=1");

        Assert.Equal(
            """{"forcedReleases":[{"number":3,"index":8,"agoSeconds":0.5,"kind":"lease","name":"l","token":6,"owner":"o","caller":"c","reason":"r"}],"more":true}""",
            answer.Text.TrimEnd());
        Assert.Equal(new ListForcedReleases { Limit = 1 }, Assert.Single(_silo.Group.Asked).ListForcedReleases);
    }

    [Fact]
    public async Task A_wait_is_cancelled_unless_the_grant_came_first()
    {
        Answer(new CommandResult { Outcome = Outcome.Granted, Token = 9, Floor = 4 });
        HttpAnswer granted = await PostAsync("sessions/7/cancel-wait", """{"requestId":2}""");
        Answer(new CommandResult { Outcome = Outcome.Cancelled, Token = 9 });
        HttpAnswer cancelled = await PostAsync("sessions/7/cancel-wait", """{"entryIndex":"8","releaseIfGranted":true}""");

        Assert.Equal("""{"sessionId":"7","cancelled":false,"token":9,"floor":4}""", granted.Text.TrimEnd());
        Assert.Equal("""{"sessionId":"7","cancelled":true}""", cancelled.Text.TrimEnd());
        Assert.Equal(
            [new CancelWait { RequestId = 2 }, new CancelWait { EntryIndex = 8, ReleaseIfGranted = true }],
            _silo.Group.Proposed.Select(command => command.CancelWait));
    }

    [Theory]
    [InlineData($"00-{TraceId}-00f067aa0ba902b7-01", TraceId)]
    [InlineData($"01-{TraceId}-00f067aa0ba902b7-01-more", TraceId)]
    [InlineData($"00-{TraceId}-00f067aa0ba902b7-01-more", "")]
    [InlineData($"ff-{TraceId}-00f067aa0ba902b7-01", "")]
    [InlineData($"00-{TraceId}-00f067aa0ba902b7", "")]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01", "")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "")]
    [InlineData("x", "")]
    public async Task The_trace_is_that_of_the_header_if_the_body_names_none(string header, string expected)
    {
        Answer(new CommandResult { Outcome = Outcome.Granted, Token = 9, Floor = 9, TtlUs = 1 });
        foreach ((string path, string body) in new[]
            { ("locks/a/acquire", """{"sessionId":7}"""), ("leases/a/acquire", """{"ttlSeconds":5}"""), ("locks/a/acquire", """{"sessionId":7,"traceId":"own"}""") })
            await _silo.SendAsync("POST", $"/v1/{path}", body, request => request.Headers.TryAddWithoutValidation("traceparent", header));

        Assert.Equal(
            [expected, expected, "own"],
            _silo.Group.Proposed.Select(command => command.AcquireLock?.TraceId ?? command.AcquireLease.TraceId));
    }

    [Fact]
    public async Task Peers_are_described_added_removed_and_made_leader()
    {
        JsonElement group = (await _silo.SendAsync("GET", "/v1/groups/0/peers")).Json;
        HttpAnswer added = await PostAsync("groups/0/peers", """{"nonce":"7d0fa2a4-6b1c-4a4e-9a6e-0d8a3f4f2f11"}""");
        HttpAnswer led = await PostAsync("groups/0/transfer-leadership", """{"to":2}""");
        HttpAnswer removed = await _silo.SendAsync("DELETE", "/v1/groups/0/peers/4");

        Assert.Equal((2, 1), (group.GetProperty("leader").GetInt32(), group.GetProperty("failuresTolerated").GetInt32()));
        Assert.Equal(
            """[{"peer":4,"role":"learner","state":"unknown","silo":"","appliedIndex":0,"lastIndex":0,"detail":"It does not run."}]""",
            group.GetProperty("peers").GetRawText());
        Assert.Equal(
            ["""{"peer":4,"role":"learner"}""", """{"leader":2,"term":7}""", """{"peer":4,"removed":true}"""],
            new[] { added, led, removed }.Select(answer => answer.Text.TrimEnd()));
        Assert.Equal(
            [
                ClusterRequest.RequestOneofCase.Describe, ClusterRequest.RequestOneofCase.AddPeer,
                ClusterRequest.RequestOneofCase.TransferLeadership, ClusterRequest.RequestOneofCase.RemovePeer,
            ],
            _silo.Group.Administered.Select(request => request.RequestCase));
        Assert.Equal(0x7d, _silo.Group.Administered.ElementAt(1).AddPeer.Nonce[0]);
    }

    [Fact]
    public async Task So_many_connections_are_served_and_the_next_is_closed()
    {
        await using HttpTestSilo silo = await HttpTestSilo.StartAsync(options => options.ConnectionsMax = 2);
        using (await silo.ConnectAsync())
        using (await silo.ConnectAsync())
            await Assert.ThrowsAnyAsync<Exception>(() => silo.ConnectAsync());
    }

    private void Answer(CommandResult result) =>
        _silo.Group.Executing = (_, _) => Task.FromResult(new CommandAnswer { Result = result });

    private Task<HttpAnswer> PostAsync(string path, string body) => _silo.SendAsync("POST", $"/v1/{path}", body);
}
