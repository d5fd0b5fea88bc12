using System.Collections.Concurrent;
using Coordinator.Client;
using Coordinator.Contracts;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Client;

/// <summary>The whole client over real WebSockets, against a silo of the tests' own.</summary>
public sealed class CoordinatorClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CoordinatorClient Connect(FakeSilo silo, Action<CoordinatorClientOptions>? configure = null)
    {
        CoordinatorClientOptions options = new() { Endpoints = [silo.Address] };
        configure?.Invoke(options);
        return new CoordinatorClient(options);
    }

    [Fact]
    public async Task A_lock_is_acquired_excludes_others_and_is_released_by_dispose()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient first = Connect(silo);
        await using CoordinatorClient second = Connect(silo);
        await using (LockHandle handle = await first.Locks.AcquireAsync("orders/42", Patience))
        {
            Assert.Equal("orders/42", handle.Name);
            Assert.True(handle.FencingToken > 0);
            Assert.Equal(handle.FencingToken, handle.Floor);
            Assert.Equal(first.SessionId, handle.SessionId);
            Assert.False(handle.LostToken.IsCancellationRequested);
            TimeSpan left = handle.ValidUntil - DateTimeOffset.UtcNow;
            Assert.InRange(left, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));
            Assert.Null(await second.Locks.TryAcquireAsync("orders/42"));
            Assert.Equal("orders/42", (await Assert.ThrowsAsync<LockNotAcquiredException>(
                () => first.Locks.AcquireAsync("orders/42", TimeSpan.FromMilliseconds(1)))).Name);
        }
        Assert.Empty(silo.Look(cluster => cluster.Held.ToArray()));
        await using LockHandle? next = await second.Locks.TryAcquireAsync("orders/42");
        Assert.NotNull(next);
    }

    [Fact]
    public async Task A_handle_can_be_released_again_and_again_and_after_its_client()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        CoordinatorClient client = Connect(silo);
        LockHandle released = await client.Locks.AcquireAsync("a", Patience);
        LockHandle kept = await client.Locks.AcquireAsync("b", Patience);
        await released.ReleaseAsync();
        await released.ReleaseAsync();
        await released.DisposeAsync();
        Assert.False(released.LostToken.IsCancellationRequested);

        await client.DisposeAsync();
        await client.DisposeAsync();
        Assert.True(kept.LostToken.IsCancellationRequested);
        await kept.ReleaseAsync();
        Assert.Empty(silo.Look(cluster => cluster.Sessions.Keys.ToArray()));
        Assert.Null(client.SessionId);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.Locks.AcquireAsync("a", Patience));
    }

    [Fact]
    public async Task Settings_are_put_read_listed_in_pages_and_deleted()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo);
        Assert.Null(await client.Configuration.GetAsync("app/a"));
        Assert.Equal(new ConfigRevision(1, 1), await client.Configuration.PutAsync("app/a", "é"));
        Assert.Equal(new ConfigRevision(2, 2), await client.Configuration.PutAsync("app/a", "ü"));
        for (int i = 0; i < 5; i++)
            await client.Configuration.PutAsync($"app/list/{i}", new byte[] { (byte)i });

        Coordinator.Client.ConfigEntry entry =
            (await client.Configuration.GetAsync("app/a", new() { Consistency = ReadConsistency.Serializable }))!;
        Assert.Equal(("ü", "text/plain; charset=utf-8", 2, 1, 2),
            (entry.GetString(), entry.ContentType, entry.Version, entry.CreateRevision, entry.ModifyRevision));
        Assert.Equal(7, entry.Position.Revision);
        List<string> keys = [];
        await foreach (Coordinator.Client.ConfigEntry listed in client.Configuration.ListAsync("app/list/"))
            keys.Add(listed.Key);
        Assert.Equal(["app/list/0", "app/list/1", "app/list/2", "app/list/3", "app/list/4"], keys);
        Assert.True(await client.Configuration.DeleteAsync("app/a"));
        Assert.False(await client.Configuration.DeleteAsync("app/a"));
    }

    [Fact]
    public async Task The_largest_values_go_both_ways_while_keep_alives_and_locks_go_on()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo);
        byte[] value = new byte[Limits.ValueBytesMax];
        new Random(1).NextBytes(value);
        Task<ConfigRevision>[] puts =
            [.. Enumerable.Range(0, 8).Select(i => client.Configuration.PutAsync($"big/{i}", value))];
        await using LockHandle handle = await client.Locks.AcquireAsync("a", Patience);
        await Task.WhenAll(puts);
        Coordinator.Client.ConfigEntry entry = (await client.Configuration.GetAsync("big/7"))!;
        Assert.True(entry.Value.Span.SequenceEqual(value));
        Assert.Equal(1, silo.Accepted);
        await Assert.ThrowsAsync<ArgumentException>(
            () => client.Configuration.PutAsync("big/8", new byte[Limits.ValueBytesMax + 1]));
    }

    [Fact]
    public async Task What_is_open_when_the_connection_breaks_is_done_once_all_the_same()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo);
        await client.Configuration.PutAsync("k", "0");
        int executed = silo.Look(cluster => cluster.Executed);
        int seen = 0;
        silo.Intercept = (frame, _) =>
        {
            // The first put is executed and its answer lost with the connection.
            if (frame.Command?.PutConfig is null || Interlocked.Increment(ref seen) > 1)
                return false;
            silo.Look(cluster =>
            {
                cluster.Execute(frame.Command, _ => { });
                return 0;
            });
            silo.Break();
            return true;
        };
        Assert.Equal(new ConfigRevision(2, 2), await client.Configuration.PutAsync("k", "1"));
        Assert.Equal(2, seen);
        Assert.Equal(2, silo.Accepted);
        Assert.Equal(executed + 1, silo.Look(cluster => cluster.Executed));
    }

    [Fact]
    public async Task A_wait_goes_on_across_a_broken_connection_and_keeps_its_place()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient first = Connect(silo);
        await using CoordinatorClient second = Connect(silo);
        LockHandle held = await first.Locks.AcquireAsync("a", Patience);
        TaskCompletionSource queued = new();
        silo.Intercept = (frame, _) =>
        {
            if (frame.Command?.AcquireLock is not null)
                queued.TrySetResult();
            return false;
        };
        Task<LockHandle> waiting = second.Locks.AcquireAsync("a", Timeout.InfiniteTimeSpan);
        await queued.Task.WaitAsync(Patience);
        silo.Break();
        await held.ReleaseAsync();
        await using LockHandle handle = await waiting.WaitAsync(Patience);
        Assert.True(handle.FencingToken > held.FencingToken);
    }

    [Fact]
    public async Task A_half_open_connection_is_noticed_and_the_next_silo_takes_over()
    {
        FakeCluster cluster = new();
        await using FakeSilo first = await FakeSilo.StartAsync(cluster);
        await using FakeSilo second = await FakeSilo.StartAsync(cluster);
        await using CoordinatorClient client = new(new CoordinatorClientOptions
        {
            Endpoints = [first.Address, second.Address],
            SessionTtl = TimeSpan.FromSeconds(2),
        });
        await using LockHandle handle = await client.Locks.AcquireAsync("a", Patience);
        first.IsDeaf = true;
        await client.Configuration.PutAsync("k", "v");
        Assert.Equal((1, 1), (first.Accepted, second.Accepted));
        Assert.False(handle.LostToken.IsCancellationRequested);
    }

    [Fact]
    public async Task A_silo_that_never_answers_costs_the_request_time_out_and_tells_what_was_tried()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        silo.IsDeaf = true;
        await using CoordinatorClient client = Connect(silo, options => options.RequestTimeout = TimeSpan.FromSeconds(1));
        CoordinatorTimeoutException e = await Assert.ThrowsAsync<CoordinatorTimeoutException>(
            () => client.Configuration.GetAsync("k")).WaitAsync(Patience);
        Assert.Contains(silo.Address, e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CoordinatorTimeoutException>(
            () => client.Locks.AcquireAsync("a", Timeout.InfiniteTimeSpan)).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_write_left_without_an_answer_is_unknown()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo, options => options.RequestTimeout = TimeSpan.FromSeconds(1));
        silo.Intercept = (frame, _) => frame.Command?.PutConfig is not null;
        CoordinatorOutcomeUnknownException e = await Assert.ThrowsAsync<CoordinatorOutcomeUnknownException>(
            () => client.Configuration.PutAsync("k", "v")).WaitAsync(Patience);
        Assert.Equal(ErrorCode.OutcomeUnknown, e.Code);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 0 })]
    [InlineData(new byte[] { 2, 0, 0, 0, 255, 255 })]
    public async Task What_can_not_be_read_ends_the_connection_and_a_good_one_follows(byte[] garbage)
    {
        RecordedLog log = new();
        await using FakeSilo silo = await FakeSilo.StartAsync();
        silo.Garbage = connection => connection == 1 ? garbage : null;
        await using CoordinatorClient client = Connect(silo, options => options.LoggerFactory = log);
        await client.Configuration.PutAsync("k", "v").WaitAsync(Patience);
        Assert.Equal(2, silo.Accepted);
        Assert.Contains(log.Lines, line => line.Id == 4001 && line.Text.Contains("can't be read", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_over_the_limit_ends_the_connection()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        silo.Garbage = _ => new byte[Limits.MessageBytesMax + 1];
        await using CoordinatorClient client = Connect(silo, options => options.RequestTimeout = TimeSpan.FromSeconds(2));
        Task<ConfigRevision> put = client.Configuration.PutAsync("k", "v");
        CoordinatorTimeoutException e = await Assert.ThrowsAsync<CoordinatorTimeoutException>(() => put).WaitAsync(Patience);
        Assert.Contains("over 65536 bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_wait_ends_at_once_and_a_late_grant_is_given_back()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient first = Connect(silo);
        await using CoordinatorClient second = Connect(silo);
        LockHandle held = await first.Locks.AcquireAsync("a", Patience);
        TaskCompletionSource cancelSeen = new();
        TaskCompletionSource queued = new();
        using CancellationTokenSource cancellation = new();
        silo.Intercept = (frame, _) =>
        {
            if (frame.Command?.AcquireLock is not null)
                queued.TrySetResult();
            if (frame.Command?.CancelWait is null)
                return false;
            // Lost on the way: it has to come again.
            return cancelSeen.TrySetResult();
        };
        Task<LockHandle> waiting = second.Locks.AcquireAsync("a", Timeout.InfiniteTimeSpan, cancellation.Token);
        await queued.Task.WaitAsync(Patience);
        await cancellation.CancelAsync();
        OperationCanceledException e =
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting).WaitAsync(Patience);
        Assert.Equal(cancellation.Token, e.CancellationToken);

        await cancelSeen.Task.WaitAsync(Patience);
        await held.ReleaseAsync();
        silo.Break();
        await using LockHandle? again = await first.Locks.TryAcquireAsync("a", Patience).WaitAsync(Patience);
        Assert.NotNull(again);
    }

    [Fact]
    public async Task A_jump_of_the_wall_clock_past_the_deadline_takes_the_lock_at_the_next_look()
    {
        ManualTime time = new();
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo, options => options.TimeProvider = time);
        LockHandle handle = await client.Locks.AcquireAsync("a", Patience);
        time.JumpWall(TimeSpan.FromSeconds(10));
        Assert.True(handle.ValidUntil < time.GetUtcNow());
        Assert.True(handle.LostToken.IsCancellationRequested);
        Assert.True(handle.ValidUntil <= time.GetUtcNow());
        await handle.ReleaseAsync();
    }

    [Fact]
    public async Task The_lost_token_fires_while_the_clients_loop_is_blocked_by_its_log()
    {
        using ManualResetEventSlim unblock = new();
        await using FakeSilo silo = await FakeSilo.StartAsync();
        TaskCompletionSource blocked = new();
        await using CoordinatorClient client = Connect(silo, options =>
        {
            options.SessionTtl = TimeSpan.FromSeconds(1);
            options.LoggerFactory = new RecordedLog(level =>
            {
                if (level < LogLevel.Warning || unblock.IsSet)
                    return;
                blocked.TrySetResult();
                unblock.Wait(Patience);
            });
        });
        LockHandle handle = await client.Locks.AcquireAsync("a", Patience);
        TaskCompletionSource lost = new();
        using CancellationTokenRegistration registration = handle.LostToken.Register(() => lost.TrySetResult());
        silo.Break();
        await blocked.Task.WaitAsync(Patience);
        await lost.Task.WaitAsync(Patience);
        unblock.Set();
        await handle.ReleaseAsync().WaitAsync(Patience);
        await using LockHandle next = await client.Locks.AcquireAsync("a", Patience);
        Assert.NotEqual(handle.SessionId, next.SessionId);
    }

    [Fact]
    public async Task A_session_ended_by_the_cluster_takes_its_locks_and_the_next_acquire_has_a_new_one()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo);
        LockHandle old = await client.Locks.AcquireAsync("a", Patience);
        silo.Intercept = (frame, writer) =>
        {
            if (frame.Query is not null)
                writer.TryWrite(new ServerFrame { SessionEnded = new SessionEnded { SessionId = old.SessionId } });
            return false;
        };
        await client.Configuration.GetAsync("k");
        Assert.True(old.LostToken.IsCancellationRequested);
        silo.Look(cluster =>
        {
            cluster.End(cluster.Sessions[old.SessionId]);
            return 0;
        });
        await using LockHandle next = await client.Locks.AcquireAsync("a", Patience);
        Assert.True(next.FencingToken > old.FencingToken);
        Assert.NotEqual(old.SessionId, next.SessionId);
        await old.DisposeAsync();
        Assert.Single(silo.Look(cluster => cluster.Held.ToArray()));
    }

    [Fact]
    public async Task A_hundred_workers_share_one_connection_and_its_messages()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo);
        ConcurrentDictionary<string, long> tokens = [];
        await Task.WhenAll(Enumerable.Range(0, 100).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
            {
                string name = $"lock/{worker % 30}";
                await using LockHandle handle = await client.Locks.AcquireAsync(name, Patience);
                tokens.AddOrUpdate(name, handle.FencingToken, (_, last) =>
                {
                    Assert.True(handle.FencingToken > last);
                    return handle.FencingToken;
                });
            }
        }))).WaitAsync(Patience);
        Assert.Equal(1, silo.Accepted);
        Assert.InRange(silo.Messages, 1, 9_000);
        Assert.Empty(silo.Look(cluster => cluster.Held.ToArray()));
    }

    [Fact]
    public async Task More_open_requests_than_allowed_are_refused_at_once()
    {
        await using FakeSilo silo = await FakeSilo.StartAsync();
        await using CoordinatorClient client = Connect(silo, options => options.OpenRequestsMax = 2);
        LockHandle held = await client.Locks.AcquireAsync("a", Patience);
        Task<LockHandle> first = client.Locks.AcquireAsync("a", Patience);
        Task<LockHandle> second = client.Locks.AcquireAsync("a", Patience);
        await Assert.ThrowsAsync<TooManyOpenRequestsException>(() => client.Locks.AcquireAsync("a", Patience));
        await held.ReleaseAsync();
        await (await first).ReleaseAsync();
        await (await second).ReleaseAsync();
    }

    [Fact]
    public async Task Bad_names_waits_keys_and_options_are_refused_before_anything_is_sent()
    {
        await using CoordinatorClient client = new("http://127.0.0.1:1");
        await Assert.ThrowsAsync<ArgumentException>(() => client.Locks.AcquireAsync("a//b", Patience));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Locks.TryAcquireAsync(""));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => client.Locks.AcquireAsync("a", TimeSpan.FromSeconds(-1)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => client.Locks.AcquireAsync("a", Limits.WaitMax + TimeSpan.FromSeconds(1)));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Configuration.PutAsync("..", "v"));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Configuration.PutAsync("k", "v", new() { ContentType = "a\nb" }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.Configuration.PutAsync("k", "\ud800"));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
        {
            await foreach (Coordinator.Client.ConfigEntry _ in client.Configuration.ListAsync("\0"))
                Assert.Fail("Nothing should be listed.");
        });
        Assert.Throws<ArgumentException>(() => new CoordinatorClient("127.0.0.1:7400"));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new CoordinatorClient(new CoordinatorClientOptions { SessionTtl = TimeSpan.FromMilliseconds(499) }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new CoordinatorClient(new CoordinatorClientOptions { RequestTimeout = TimeSpan.Zero }));
    }

    [Fact]
    public async Task Nobody_listening_is_named_in_the_time_out()
    {
        await using CoordinatorClient client = new(new CoordinatorClientOptions
        {
            Endpoints = ["http://127.0.0.1:1"],
            RequestTimeout = TimeSpan.FromMilliseconds(300),
        });
        CoordinatorTimeoutException e = await Assert.ThrowsAsync<CoordinatorTimeoutException>(
            () => client.Locks.TryAcquireAsync("a")).WaitAsync(Patience);
        Assert.Contains("127.0.0.1:1", e.Message, StringComparison.Ordinal);
    }
}
