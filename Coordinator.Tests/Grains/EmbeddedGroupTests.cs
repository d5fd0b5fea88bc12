using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Grains;

/// <summary>A whole embedded group on a real PostgreSQL, through its gateway, with peers that are stopped in between.</summary>
[Collection(PostgresCollection.Name)]
public sealed class EmbeddedGroupTests(PostgresServer server) : EmbeddedGroupScenario(server)
{
    [Fact]
    public async Task Requests_go_on_with_the_next_leader_when_the_leader_stops_for_good()
    {
        CommandAnswer before = await PutAsync("before");
        StopLeader();
        CommandAnswer after = await PutAsync("after");
        Assert.Equal(before.Result.Revision + 1, after.Result.Revision);
        Assert.True(after.Position.Term > before.Position.Term);
        QueryAnswer read = await Gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = "before" } }, CancellationToken.None);
        Assert.Equal("before", read.Entries[0].Value.ToStringUtf8());
    }

    [Fact]
    public async Task A_transaction_is_done_once_and_its_history_is_read_from_the_next_leader()
    {
        long session = await CreateSessionAsync();
        long first = (await PutAsync("a")).Result.Revision;
        var command = new Command
        {
            SessionId = session,
            RequestId = 1,
            Transaction = new Transaction
            {
                Compares = { new Compare { Key = "a", ModifyRevision = first } },
                Then =
                {
                    new ConfigOperation { Get = new ReadKey { Key = "a" } },
                    new ConfigOperation { Delete = new DeleteConfig { Key = "a" } },
                },
            },
        };
        CommandAnswer done = await Gateway.ExecuteAsync(command, CancellationToken.None);
        Assert.Equal("a", done.Result.Operations[0].Entry.Value.ToStringUtf8());
        StopLeader();
        CommandAnswer again = await Gateway.ExecuteAsync(command, CancellationToken.None);
        Assert.Equal(
            (Outcome.Done, done.Result.Revision, 0),
            (again.Result.Outcome, again.Result.Revision, again.Result.Operations.Count));
        QueryAnswer then = await Gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = "a", Revision = first } }, CancellationToken.None);
        Assert.Equal("a", then.Entries[0].Value.ToStringUtf8());
        QueryAnswer now = await Gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = "a" } }, CancellationToken.None);
        Assert.Equal(ErrorCode.KeyNotFound, now.Error);
    }

    [Fact]
    public async Task A_wait_that_nobody_could_ask_for_again_is_withdrawn_when_its_replica_stops()
    {
        long holder = await CreateSessionAsync();
        long waiter = await CreateSessionAsync();
        Assert.Equal(Outcome.Granted, (await AcquireAsync(holder, waitUs: 0)).Result.Outcome);
        Task<CommandAnswer> waiting = AcquireAsync(waiter, CommandRules.UnboundedWait);
        await WaitersAsync(1);

        StopLeader();

        Assert.Equal(ErrorCode.OutcomeUnknown, (await waiting.WaitAsync(Patience)).Result.Error);
        await WaitersAsync(0);
    }

    [Fact]
    public async Task An_abandoned_request_for_several_leaves_none_of_them_held()
    {
        long holder = await CreateSessionAsync();
        long waiter = await CreateSessionAsync();
        await AcquireAsync(holder, waitUs: 0);
        using var leave = new CancellationTokenSource();
        var several = new AcquireLock
        {
            Name = "line",
            WaitUs = CommandRules.UnboundedWait,
            Also = { new AlsoAcquire { Kind = HoldingKind.Semaphore, Name = "also", Permits = 1, Limit = 1 } },
        };
        Task<CommandAnswer> waiting = Gateway.ExecuteAsync(
            new Command { SessionId = waiter, AcquireLock = several }, leave.Token);
        await WaitersAsync(1);

        // Whichever the log has first: the wait is cancelled, or all that was granted is given back.
        await leave.CancelAsync();
        await Gateway.ExecuteAsync(
            new Command { SessionId = holder, ReleaseLock = new ReleaseLock { Name = "line" } }, CancellationToken.None);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await NobodyHoldsAsync(HoldingKind.Lock, "line");
        await NobodyHoldsAsync(HoldingKind.Semaphore, "also");
    }

    [Fact]
    public async Task A_later_host_on_the_same_database_fences_the_earlier_one_off_for_writes_and_reads()
    {
        await PutAsync("first");
        await using SiloGroups later = await StartAsync();
        CommandAnswer put = await TryPutAsync("second", later.Gateways[0]);
        Assert.Equal(ErrorCode.Ok, put.Result.Error);

        QueryAnswer read = await Gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = "second" } }, CancellationToken.None);

        // The earlier host may not answer from its old state, in which the key is missing.
        Assert.NotEqual(ErrorCode.KeyNotFound, read.Error);
        Assert.NotEqual(ErrorCode.Ok, read.Error);
        Assert.NotEqual(ErrorCode.Ok, (await TryPutAsync("third")).Result.Error);
    }

    [Fact]
    public async Task AGroup_that_is_stopped_answers_what_was_open_and_starts_again_where_it_was()
    {
        CommandAnswer before = await PutAsync("kept");
        await Silo.DisposeAsync();
        Assert.Equal(ErrorCode.Stopping, (await TryPutAsync("too late")).Result.Error);
        Silo = await StartAsync();
        QueryAnswer read = await Gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = "kept" } }, CancellationToken.None);
        Assert.Equal(before.Result.Revision, read.Entries[0].ModifyRevision);
    }

    private Task<CommandAnswer> AcquireAsync(long session, long waitUs) => Gateway.ExecuteAsync(
        new Command { SessionId = session, AcquireLock = new AcquireLock { Name = "line", WaitUs = waitUs } },
        CancellationToken.None);

    private async Task NobodyHoldsAsync(HoldingKind kind, string name)
    {
        using var patience = new CancellationTokenSource(Patience);
        var query = new Query { GetLock = new GetLock { Kind = kind, Name = name } };
        while ((await Gateway.QueryAsync(query, patience.Token)).Error != ErrorCode.LockNotFound)
            await Task.Delay(10, patience.Token);
    }

    private async Task WaitersAsync(int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        var query = new Query { GetLock = new GetLock { Name = "line" } };
        while ((await Gateway.QueryAsync(query, patience.Token)).Locks is not [{ } line] || line.Waiters.Count != count)
            await Task.Delay(10, patience.Token);
    }
}
