using System.Net;
using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

/// <summary>Shared locks, semaphores, elections and leases over HTTP: what reaches the group, and what comes back.</summary>
public sealed class HttpHoldingTests : IAsyncLifetime
{
    private HttpTestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await HttpTestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_lock_is_asked_for_shared_upgraded_or_entered_again()
    {
        Answer(new CommandResult { Outcome = Outcome.Granted, Token = 9, Floor = 4, Holds = 2 });

        HttpAnswer answer = await PostAsync("locks/a/b/acquire", """{"sessionId":7,"mode":"shared","maxHoldSeconds":2,"lockDelaySeconds":0.5}""");
        await PostAsync("locks/a/b/acquire", """{"sessionId":7,"mode":"upgrade"}""");
        await PostAsync("locks/a/b/acquire", """{"sessionId":7,"reentrant":true,"traceId":"t-1"}""");

        Assert.Equal((4L, 2), (answer.Json.GetProperty("floor").GetInt64(), answer.Json.GetProperty("holds").GetInt32()));
        Assert.Equal(
            [
                new AcquireLock { Name = "a/b", Shared = true, MaxHoldUs = 2_000_000, LockDelayUs = 500_000 },
                new AcquireLock { Name = "a/b", Upgrade = true },
                new AcquireLock { Name = "a/b", Reentrant = true, TraceId = "t-1" },
            ],
            _silo.Group.Proposed.Select(command => command.AcquireLock));
    }

    [Fact]
    public async Task Permits_of_a_semaphore_are_acquired_and_released()
    {
        Answer(new CommandResult { Outcome = Outcome.Granted, Token = 9, Floor = 9 });
        await PostAsync("semaphores/s/acquire", """{"sessionId":7,"permits":2,"limit":5,"waitSeconds":5}""");
        await PostAsync("semaphores/s/acquire", """{"sessionId":7,"limit":5}""");
        Answer(new CommandResult { Outcome = Outcome.Released, Token = 9 });
        HttpAnswer released = await PostAsync("semaphores/s/release", """{"sessionId":7,"token":9,"permits":2}""");

        Assert.True(released.Json.GetProperty("released").GetBoolean());
        Assert.Equal([2, 1], _silo.Group.Proposed.Take(2).Select(command => command.AcquireLock.Permits));
        Assert.Equal(
            new ReleaseLock { Kind = HoldingKind.Semaphore, Name = "s", Token = 9, Permits = 2 },
            _silo.Group.Proposed.Last().ReleaseLock);
    }

    [Fact]
    public async Task A_candidate_campaigns_proclaims_hands_over_and_resigns()
    {
        Answer(new CommandResult { Outcome = Outcome.Granted, Token = 9, Floor = 9 });
        await PostAsync("elections/e/campaign", """{"sessionId":7,"value":"host-1","waitSeconds":"unbounded"}""");
        Answer(new CommandResult { Outcome = Outcome.Done, Token = 9 });
        HttpAnswer proclaimed = await PostAsync("elections/e/proclaim", """{"sessionId":7,"value":"host-2"}""");
        Answer(new CommandResult { Outcome = Outcome.Released, Token = 9 });
        await PostAsync("elections/e/hand-over", """{"sessionId":7,"toSessionId":"8"}""");
        await PostAsync("elections/e/resign", """{"sessionId":7}""");

        Assert.Equal(9, proclaimed.Json.GetProperty("token").GetInt64());
        Assert.Equal(
            [
                new Command { SessionId = 7, AcquireLock = new AcquireLock { Kind = HoldingKind.Election, Name = "e", Value = "host-1", WaitUs = -1 } },
                new Command { SessionId = 7, Proclaim = new Proclaim { Name = "e", Value = "host-2" } },
                new Command { SessionId = 7, HandOver = new HandOver { Name = "e", ToSessionId = 8 } },
                new Command { SessionId = 7, ReleaseLock = new ReleaseLock { Kind = HoldingKind.Election, Name = "e" } },
            ],
            _silo.Group.Proposed);
    }

    [Fact]
    public async Task A_lease_is_acquired_renewed_and_released_without_a_session()
    {
        Answer(new CommandResult { Outcome = Outcome.Granted, Token = 43, Floor = 43, TtlUs = 30_000_000 });
        JsonElement lease = (await PostAsync("leases/l/acquire", """{"owner":"job-7","ttlSeconds":30}""")).Json;
        Assert.Equal(
            ("43", 43L, 30m),
            (lease.GetProperty("leaseId").GetString(), lease.GetProperty("token").GetInt64(),
                lease.GetProperty("expiresInSeconds").GetDecimal()));

        Answer(new CommandResult { Error = ErrorCode.LeaseNotFound });
        HttpAnswer late = await PostAsync("leases/l/renew", """{"leaseId":"43"}""");

        late.AssertProblem(ErrorCode.LeaseNotFound);
        Assert.Equal(HttpStatusCode.NotFound, late.Status);
        Assert.Equal(43, _silo.Group.Proposed.Last().RenewLease.LeaseId);
    }

    [Theory]
    [InlineData("semaphores/s/acquire", """{"sessionId":7}""", ErrorCode.InvalidPermits)]
    [InlineData("semaphores/s/acquire", """{"sessionId":7,"limit":2,"permits":3}""", ErrorCode.InvalidPermits)]
    [InlineData("semaphores/s/acquire", """{"sessionId":7,"limit":2,"mode":"shared"}""", ErrorCode.InvalidRequest)]
    [InlineData("locks/a/acquire", """{"sessionId":7,"maxHoldSeconds":86401}""", ErrorCode.InvalidHoldTime)]
    [InlineData("locks/a/acquire", """{"sessionId":7,"lockDelaySeconds":61}""", ErrorCode.InvalidHoldTime)]
    [InlineData("locks/a/acquire", """{"sessionId":7,"mode":"upgrade","reentrant":true}""", ErrorCode.InvalidRequest)]
    [InlineData("leases/l/acquire", """{"owner":"job"}""", ErrorCode.InvalidTtl)]
    [InlineData("leases/l/renew", "{}", ErrorCode.InvalidRequest)]
    [InlineData("elections/e/acquire", """{"sessionId":7}""", ErrorCode.UnknownPath)]
    [InlineData("locks/a/proclaim", """{"sessionId":7}""", ErrorCode.UnknownPath)]
    public async Task What_cannot_be_is_refused_and_not_proposed(string path, string body, ErrorCode expected)
    {
        (await PostAsync(path, body)).AssertProblem(expected);

        Assert.Empty(_silo.Group.Proposed);
    }

    private void Answer(CommandResult result) =>
        _silo.Group.Executing = (_, _) => Task.FromResult(new CommandAnswer { Result = result });

    private Task<HttpAnswer> PostAsync(string path, string body) => _silo.SendAsync("POST", $"/v1/{path}", body);
}
