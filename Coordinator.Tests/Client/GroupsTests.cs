using Coordinator.Client;
using Coordinator.Contracts;

namespace Coordinator.Tests.Client;

/// <summary>The whole client over real WebSockets, against a silo of three groups of the tests' own.</summary>
public sealed class GroupsTests : IAsyncLifetime, IAsyncDisposable
{
    private const string OfGroup0 = "users/1";
    private const string OfGroup1 = "orders/1";
    private const string OfGroup2 = "a/1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private FakeSilo _silo = null!;
    private CoordinatorClient _client = null!;

    public async Task InitializeAsync()
    {
        _silo = await FakeSilo.StartAsync([new FakeCluster(0), new FakeCluster(1), new FakeCluster(2)]);
        _client = new CoordinatorClient(_silo.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _silo.DisposeAsync();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    [Fact]
    public async Task Each_name_goes_to_its_group_over_a_connection_that_is_made_when_it_is_first_needed()
    {
        await using LockHandle first = await _client.Locks.AcquireAsync(OfGroup0, Patience);
        Assert.Equal(1, _silo.Accepted);
        await using LockHandle second = await _client.Locks.AcquireAsync(OfGroup1, Patience);
        await using LockHandle third = await _client.Locks.AcquireAsync("orders/2", Patience);
        Assert.Equal(2, _silo.Accepted);
        Assert.Equal(2, (await _client.Configuration.PutAsync(OfGroup2, "x")).Group);
        Assert.Equal(3, _silo.Accepted);

        Assert.Equal([OfGroup0], Held(0));
        Assert.Equal([OfGroup1, "orders/2"], Held(1));
        Assert.Equal("x", (await _client.Configuration.GetAsync(OfGroup2))?.GetString());
        Assert.Null(_client.SessionId);
        Assert.Equal(second.SessionId, _client.SessionIdOf("orders/9"));
        Assert.Equal([0, 1, 2], await ToListAsync(_client.Sessions.ListAsync(), session => session.Group));
    }

    [Fact]
    public async Task What_is_asked_for_before_the_groups_are_known_is_passed_on_in_order()
    {
        await using CoordinatorClient other = new(_silo.Address);
        await using LockHandle theirs = await other.Locks.AcquireAsync(OfGroup1, Patience);
        Task<LockHandle>[] waiting = [.. Enumerable.Range(0, 20).Select(_ => _client.Locks.AcquireAsync(OfGroup1, Patience))];
        await theirs.ReleaseAsync();
        long last = 0;
        foreach (Task<LockHandle> turn in waiting)
        {
            await using LockHandle handle = await turn;
            Assert.True(handle.FencingToken > last);
            last = handle.FencingToken;
        }
        Assert.Empty(_silo.Look(cluster => cluster.Sessions.Keys.ToArray()));
    }

    [Fact]
    public async Task A_call_that_was_passed_on_can_be_cancelled()
    {
        await using CoordinatorClient other = new(_silo.Address);
        await using LockHandle theirs = await other.Locks.AcquireAsync(OfGroup1, Patience);
        TaskCompletionSource acquireSeen = new();
        TaskCompletionSource<int> cancelSeen = new();
        _silo.Intercept = (frame, _) =>
        {
            if (frame.Command?.AcquireLock is not null)
                acquireSeen.TrySetResult();
            else if (frame.Command?.CancelWait is not null)
                cancelSeen.TrySetResult(frame.Group);
            return false;
        };
        using CancellationTokenSource cancelling = new();
        Task<LockHandle> waiting = _client.Locks.AcquireAsync(OfGroup1, Patience, cancelling.Token);
        await acquireSeen.Task.WaitAsync(Patience);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(1, await cancelSeen.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_call_is_cancelled_wherever_it_is_on_its_way_to_its_group()
    {
        await using LockHandle theirs = await _client.Locks.AcquireAsync(OfGroup1, Patience);
        for (int i = 0; i < 50; i++)
        {
            TaskCompletionSource greeted = new();
            _silo.Intercept = (frame, _) =>
            {
                if (frame.Hello is not null)
                    greeted.TrySetResult();
                return false;
            };
            await using CoordinatorClient client = new(_silo.Address);
            using CancellationTokenSource cancelling = new();
            Task<LockHandle> waiting = client.Locks.AcquireAsync(OfGroup1, Timeout.InfiniteTimeSpan, cancelling.Token);
            await greeted.Task.WaitAsync(Patience);
            Thread.SpinWait(i * 2000);
            await cancelling.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task A_watch_that_is_a_clients_first_request_is_passed_on_and_told_all()
    {
        TaskCompletionSource<int> abandoned = new();
        _silo.Intercept = (frame, answers) =>
        {
            if (frame.Abandon is not null)
                abandoned.TrySetResult(frame.Group);
            return frame.Watch is not null && answers.TryWrite(new ServerFrame
            {
                CorrelationId = frame.CorrelationId,
                WatchPage = StreamHost.PageOf(1, 8, StreamHost.Put(5, "orders/a"), StreamHost.Put(7, "orders/b")),
            });
        };
        List<string> told = [];
        await foreach (ConfigUpdate update in _client.Configuration.WatchPrefixAsync("orders/", new() { FromRevision = 5 }))
        {
            told.Add(update.Changes[0].Key);
            if (told.Count == 2)
                break;
        }
        Assert.Equal(["orders/a", "orders/b"], told);
        Assert.Equal(1, await abandoned.Task.WaitAsync(Patience));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_spans_groups_is_refused_before_anything_is_sent(bool isConnected)
    {
        List<ClientFrame> sent = [];
        _silo.Intercept = (frame, answers) =>
        {
            if (frame.Hello is null)
                sent.Add(frame);
            return frame.Command?.Transaction is not null && answers.TryWrite(new ServerFrame
            {
                CorrelationId = frame.CorrelationId,
                Command = new CommandAnswer { Result = new CommandResult { Outcome = Outcome.Done } },
            });
        };
        if (isConnected)
            Assert.Equal(3, await _client.Cluster.CountGroupsAsync());

        CoordinatorException refused = await RefusedAsync(() => _client.Locks.AcquireAllAsync([OfGroup0, OfGroup1], Patience));
        Assert.Contains("namespace", refused.Message);
        Assert.Contains($"\"{OfGroup0}\", \"{OfGroup1}\"", refused.Message);
        await RefusedAsync(() => _client.Configuration.Transaction()
            .If(Check.Missing(OfGroup0)).Then(Step.Put(OfGroup1, "x")).ExecuteAsync());
        await RefusedAsync(() => _client.Configuration.Transaction()
            .Then(Step.Get(OfGroup1), Step.DeletePrefix("ord")).ExecuteAsync());
        await RefusedAsync(() => _client.Configuration.SnapshotAsync("ord"));
        await RefusedAsync(() => _client.Configuration.CountAsync());
        await RefusedAsync(() => _client.Configuration.RollBackAsync("", 1));
        await RefusedAsync(() => _client.Configuration.CompactAsync(1), ErrorCode.InvalidRequest);
        await RefusedAsync(() => _client.Configuration.CompactAsync(1, group: 3), ErrorCode.InvalidRequest);
        await RefusedAsync(() => ToListAsync(_client.Configuration.WatchPrefixAsync("ord"), update => update));
        await RefusedAsync(() => _client.Sessions.DescribeAsync(1), ErrorCode.InvalidRequest);
        await RefusedAsync(() => _client.Sessions.CreateAsync(), ErrorCode.InvalidRequest);
        Assert.Empty(sent);

        await _client.Configuration.Transaction()
            .If(Check.Missing("orders/2")).Then(Step.Put(OfGroup1, "x"), Step.DeletePrefix("orders/3")).ExecuteAsync();
        Assert.Equal(1, Assert.Single(sent, frame => frame.Command?.Transaction is not null).Group);
    }

    [Fact]
    public async Task A_session_that_is_lost_in_one_group_leaves_the_others_alone_though_they_have_its_id()
    {
        LockHandle[] held =
        [
            await _client.Locks.AcquireAsync(OfGroup0, Patience), await _client.Locks.AcquireAsync(OfGroup1, Patience),
            await _client.Locks.AcquireAsync(OfGroup2, Patience),
        ];
        Assert.Equal(held[0].SessionId, held[1].SessionId);
        TaskCompletionSource lost = new();
        await using CancellationTokenRegistration onLost = held[1].LostToken.Register(lost.SetResult);
        _silo.Push(new ServerFrame
        {
            SessionEnded = new SessionEnded { SessionId = held[1].SessionId, Group = 1, Reason = "expired" },
        });
        await lost.Task.WaitAsync(Patience);

        // Heard after it on the same connections.
        await _client.Configuration.PutAsync(OfGroup0, "x");
        await _client.Configuration.PutAsync(OfGroup2, "x");
        Assert.False(held[0].LostToken.IsCancellationRequested);
        Assert.False(held[2].LostToken.IsCancellationRequested);
    }

    [Fact]
    public async Task A_session_that_was_created_is_in_the_group_of_its_namespace_and_in_no_other()
    {
        CoordinatorSession session = await _client.Sessions.CreateAsync(inNamespace: "orders");
        Assert.Equal(1, session.Group);
        await using LockHandle handle = await session.Locks.AcquireAsync(OfGroup1, Patience);
        CoordinatorException refused = await RefusedAsync(() => session.Locks.AcquireAsync(OfGroup0, Patience));
        Assert.Contains("create a session for its namespace", refused.Message);
        await RefusedAsync(() => session.Configuration.PutAsync(OfGroup2, "x"));
        await Assert.ThrowsAsync<ArgumentException>(() => _client.Sessions.CreateAsync(inNamespace: "orders/1"));
        await session.DisposeAsync();
        Assert.True(handle.LostToken.IsCancellationRequested);
        Assert.Empty(Held(1));
    }

    [Fact]
    public async Task A_listing_of_locks_has_those_of_all_groups_in_the_order_of_their_names()
    {
        string[] names = ["a/1", "a/2", "a/3", "app/1", "orders/1", "orders/2", "orders/3", "users/1"];
        foreach (string name in names.Reverse())
            await _client.Locks.AcquireAsync(name, Patience);
        Assert.Equal(names, await ToListAsync(_client.Locks.ListAsync(), listed => listed.Name));
        Assert.Equal(names[..4], await ToListAsync(_client.Locks.ListAsync("a"), listed => listed.Name));
        Assert.Equal(names[4..7], await ToListAsync(_client.Locks.ListAsync("orders/"), listed => listed.Name));
    }

    [Fact]
    public async Task A_client_that_ends_ends_its_session_in_every_group()
    {
        LockHandle[] held =
            [await _client.Locks.AcquireAsync(OfGroup0, Patience), await _client.Locks.AcquireAsync(OfGroup2, Patience)];
        await _client.DisposeAsync();
        Assert.All(held, handle => Assert.True(handle.LostToken.IsCancellationRequested));
        Assert.Empty(_silo.Look(cluster => cluster.Sessions.Keys.ToArray()));
        Assert.Empty(_silo.Look(cluster => cluster.Sessions.Keys.ToArray(), group: 2));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _client.Locks.AcquireAsync(OfGroup1, Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _client.Locks.AcquireAsync(OfGroup0, Patience));
    }

    [Fact]
    public async Task Without_a_silo_the_number_of_groups_is_as_late_as_any_answer()
    {
        await using CoordinatorClient client = new(new CoordinatorClientOptions
        {
            Endpoints = ["http://127.0.0.1:1"],
            RequestTimeout = TimeSpan.FromMilliseconds(200),
        });
        await Assert.ThrowsAsync<CoordinatorTimeoutException>(() => client.Cluster.CountGroupsAsync());
        await Assert.ThrowsAsync<CoordinatorTimeoutException>(() => ToListAsync(client.Locks.ListAsync(), listed => listed));
        await Assert.ThrowsAsync<CoordinatorTimeoutException>(() => client.Locks.AcquireAllAsync([OfGroup0, OfGroup1], Patience));
    }

    private string[] Held(int group) => _silo.Look(cluster => cluster.Held.Select(held => held.Name).ToArray(), group);

    private static async Task<CoordinatorException> RefusedAsync(
        Func<Task> asked, ErrorCode code = ErrorCode.SpansGroups)
    {
        CoordinatorException refused = await Assert.ThrowsAsync<CoordinatorException>(asked);
        Assert.Equal(code, refused.Code);
        return refused;
    }

    private static async Task<List<TResult>> ToListAsync<T, TResult>(IAsyncEnumerable<T> items, Func<T, TResult> select)
    {
        List<TResult> list = [];
        await foreach (T item in items)
            list.Add(select(item));
        return list;
    }
}
