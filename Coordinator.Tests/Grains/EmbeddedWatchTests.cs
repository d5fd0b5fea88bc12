using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Tests.Postgres;
using Google.Protobuf;

namespace Coordinator.Tests.Grains;

/// <summary>Watches of a group on a real PostgreSQL, through its gateway, while peers stop and leaders change.</summary>
[Collection(PostgresCollection.Name)]
public sealed class EmbeddedWatchTests(PostgresServer server) : EmbeddedGroupScenario(server), IDisposable
{
    private readonly CancellationTokenSource _patience = new(Patience);
    private long _writer;
    private long _requests;

    private protected override ReplicaOptions Replica => new() { TickUs = 20_000, WatchProgressUs = 500_000 };

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _writer = await CreateSessionAsync();
    }

    public void Dispose() => _patience.Dispose();

    [Fact]
    public async Task Watchers_on_every_replica_see_each_revision_once_while_leaders_change_and_a_peer_stops()
    {
        const int Watchers = 6;
        const int Writes = 120;
        TaskCompletionSource[] begun =
            [.. Enumerable.Range(0, Watchers).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];
        Task<List<long>>[] watchers = [.. begun.Select(first => SeeAsync("w/", Writes, first))];
        await Task.WhenAll(begun.Select(first => first.Task)).WaitAsync(_patience.Token);
        await ParkedAsync(watchers);
        var written = new List<long>();
        for (int i = 0; i < Writes; i++)
        {
            if (i == Writes / 3)
                await TransferAsync();
            if (i == Writes * 2 / 3)
                StopLeader();
            written.Add(await WriteAsync($"w/{i}"));
            await WriteAsync("elsewhere");
        }

        foreach (Task<List<long>> watcher in watchers)
            Assert.Equal(written, await watcher);
    }

    [Fact]
    public async Task A_watch_is_told_how_far_all_was_looked_through_when_nothing_happens_to_its_key()
    {
        await using IAsyncEnumerator<WatchPage> pages = Gateway
            .WatchAsync(Config("quiet", from: 0), _patience.Token).GetAsyncEnumerator();
        await NextAsync(pages);
        long last = await WriteAsync("other");

        WatchPage mark;
        do
        {
            mark = await NextAsync(pages);
            Assert.Equal((ErrorCode.Ok, 0), (mark.Error, mark.Events.Count));
        }
        while (mark.NextRevision <= last);
        Assert.Equal(last + 1, mark.NextRevision);
    }

    [Fact]
    public async Task A_watch_ends_with_the_page_that_says_why()
    {
        long last = await WriteAsync("a");

        Assert.Equal(ErrorCode.RevisionInFuture, await EndOfAsync(Config("a", last + 2)));
        Assert.Equal(ErrorCode.Compacted, await EndOfAsync(Config("a", 1)));
        Assert.Equal(ErrorCode.InvalidName, await EndOfAsync(Config("", last)));
        Assert.Equal(ErrorCode.SessionNotFound, await EndOfAsync(new Watch { Session = new ObserveSession { SessionId = 1 } }));
        Watch seen = Config("a", last);
        seen.SeenIndex = long.MaxValue;
        Assert.Equal(ErrorCode.RolledBack, await EndOfAsync(seen));
    }

    [Fact]
    public async Task A_revision_too_large_for_a_page_comes_in_parts()
    {
        long before = await WriteAsync("small");
        for (int i = 0; i < 3; i++)
            await WriteAsync($"big/{i}", new byte[600_000]);
        long deleted = await WriteAsync("marker");
        CommandAnswer restored = await Gateway.ExecuteAsync(
            new Command { Transaction = new Transaction { Then = { new ConfigOperation { DeletePrefix = new DeletePrefix { Prefix = "big/" } } } } },
            CancellationToken.None);
        CommandAnswer rolledBack = await Gateway.ExecuteAsync(
            new Command { RollBackConfig = new RollBackConfig { Prefix = "big/", Revision = deleted } }, CancellationToken.None);
        Assert.Equal(restored.Result.Revision + 1, rolledBack.Result.Revision);
        await using IAsyncEnumerator<WatchPage> pages = Gateway
            .WatchAsync(Config("big/", rolledBack.Result.Revision, isPrefix: true), _patience.Token).GetAsyncEnumerator();

        WatchPage first = await NextAsync(pages), second = await NextAsync(pages), third = await NextAsync(pages);

        Assert.Equal([true, true, false], [first.Continues, second.Continues, third.Continues]);
        Assert.Equal((rolledBack.Result.Revision, rolledBack.Result.Revision + 1), (second.NextRevision, third.NextRevision));
        Assert.Equal(
            ["big/0", "big/1", "big/2"],
            new[] { first, second, third }.SelectMany(page => page.Events).Select(told => told.Entry.Key));
        Assert.True(before < first.NextRevision);
    }

    [Fact]
    public async Task An_election_is_observed_across_the_stop_of_a_leader()
    {
        await using IAsyncEnumerator<WatchPage> pages = Gateway
            .WatchAsync(new Watch { Election = new ObserveElection { Name = "e" } }, _patience.Token).GetAsyncEnumerator();
        Assert.Equal(new ElectionState(), (await NextAsync(pages)).Election);
        long session = await CreateSessionAsync();

        StopLeader();
        CommandAnswer elected = await Gateway.ExecuteAsync(
            new Command
            {
                SessionId = session,
                AcquireLock = new AcquireLock { Kind = HoldingKind.Election, Name = "e", Value = "me" },
            },
            CancellationToken.None);
        Assert.Equal(Outcome.Granted, elected.Result.Outcome);

        ElectionState? state = null;
        while (state is null)
            state = (await NextAsync(pages)).Election;
        Assert.Equal((elected.Result.Token, session, "me"), (state.Token, state.SessionId, state.Value));
    }

    [Fact]
    public async Task A_session_is_told_its_holdings_once_and_then_what_was_taken_from_it_and_its_end()
    {
        long session = await CreateSessionAsync();
        await Gateway.ExecuteAsync(
            new Command { SessionId = session, AcquireLock = new AcquireLock { Name = "l" } }, CancellationToken.None);
        await using IAsyncEnumerator<WatchPage> pages = Gateway
            .WatchAsync(new Watch { Session = new ObserveSession { SessionId = session } }, _patience.Token).GetAsyncEnumerator();
        SessionNotices all = (await NextAsync(pages)).Session;
        Assert.Equal("l", Assert.Single(all.Holdings).Name);
        // Nothing was noticed: the next page is the mark after a while, not the same again.
        Assert.Null((await NextAsync(pages)).Session);

        await Gateway.ExecuteAsync(new Command { ForceRelease = new ForceRelease { Name = "l" } }, CancellationToken.None);
        SessionNotices? taken = null;
        while (taken is null)
            taken = (await NextAsync(pages)).Session;
        Assert.True(taken.Holdings.Count == 0 && taken.Notice > all.Notice);

        await Gateway.ExecuteAsync(new Command { SessionId = session, EndSession = new EndSession() }, CancellationToken.None);
        WatchPage end;
        do
            end = await NextAsync(pages);
        while (end.Error == ErrorCode.Ok);
        Assert.Equal(ErrorCode.SessionNotFound, end.Error);
        Assert.False(await pages.MoveNextAsync());
    }

    [Fact]
    public async Task Who_no_longer_wants_it_leaves_nothing_behind()
    {
        using var leave = new CancellationTokenSource();
        await using IAsyncEnumerator<WatchPage> pages =
            Gateway.WatchAsync(Config("a", 0), leave.Token).GetAsyncEnumerator();
        await NextAsync(pages);
        Task<bool> next = pages.MoveNextAsync().AsTask();

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Patience));
        while (Group.Peers.Any(peer => peer.Status.Watches > 0))
            await Task.Delay(10, _patience.Token);
    }

    [Fact]
    public async Task Watches_of_aGroup_that_is_stopped_end()
    {
        await using IAsyncEnumerator<WatchPage> pages = Gateway
            .WatchAsync(Config("a", 0), _patience.Token).GetAsyncEnumerator();
        await NextAsync(pages);
        Task<WatchPage> next = NextAsync(pages);

        await Silo.DisposeAsync();

        Assert.Equal(ErrorCode.Stopping, (await next).Error);
        Assert.Equal(ErrorCode.Stopping, await EndOfAsync(Config("a", 0)));
        Silo = await StartAsync();
    }

    [Fact]
    public async Task Without_a_quorum_a_watch_goes_on_and_a_new_one_from_now_is_refused_in_time()
    {
        await Silo.DisposeAsync();
        Silo = await StartAsync(leaderTimeout: TimeSpan.FromSeconds(1));
        await WriteAsync("a");
        using var leave = new CancellationTokenSource();
        await using IAsyncEnumerator<WatchPage> pages =
            Gateway.WatchAsync(Config("a", 0), leave.Token).GetAsyncEnumerator();
        await NextAsync(pages);
        Task<ErrorCode> begun = EndOfAsync(pages);

        foreach (PeerLoop peer in Group.Peers.Take(2))
            peer.Post(new PeerInput.Halt(ServiceState.Stopped, "stopped by the test"));

        Assert.Equal(ErrorCode.NoQuorum, await EndOfAsync(Config("a", 0)));
        Assert.False(begun.IsCompleted);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => begun);
    }

    [Fact]
    public async Task Without_a_replica_a_new_watch_is_refused_in_time()
    {
        await using var alone = new GroupGateway(0, TimeSpan.FromMilliseconds(200), TimeProvider.System);
        await using IAsyncEnumerator<WatchPage> pages =
            alone.WatchAsync(Config("a", 0), _patience.Token).GetAsyncEnumerator();

        Assert.Equal(ErrorCode.NoQuorum, (await NextAsync(pages)).Error);
        Assert.False(await pages.MoveNextAsync());
    }

    /// <param name="begun">Set by the first page: what is confirmed after it will be told.</param>
    private async Task<List<long>> SeeAsync(string prefix, int count, TaskCompletionSource begun)
    {
        var seen = new List<long>();
        await foreach (WatchPage page in Gateway.WatchAsync(Config(prefix, 0, isPrefix: true), _patience.Token))
        {
            Assert.True(page.Error == ErrorCode.Ok, $"{page.Error}: {page.Message}");
            begun.TrySetResult();
            seen.AddRange(page.Events.Select(told => told.Entry.ModifyRevision));
            Assert.All(seen, revision => Assert.True(revision < page.NextRevision));
            if (seen.Count >= count)
                break;
        }
        return seen;
    }

    private async Task ParkedAsync(Task<List<long>>[] watchers)
    {
        while (Group.Peers.Sum(peer => peer.Status.Watches) < watchers.Length
            || Group.Peers.Any(peer => peer.Status.Watches == 0))
        {
            Assert.DoesNotContain(watchers, watcher => watcher.IsFaulted);
            await Task.Delay(10, _patience.Token);
        }
    }

    private async Task<ErrorCode> EndOfAsync(Watch watch)
    {
        await using IAsyncEnumerator<WatchPage> pages = Gateway.WatchAsync(watch, _patience.Token).GetAsyncEnumerator();
        return await EndOfAsync(pages);
    }

    private static async Task<ErrorCode> EndOfAsync(IAsyncEnumerator<WatchPage> pages)
    {
        while (await pages.MoveNextAsync())
        {
            if (pages.Current.Error != ErrorCode.Ok)
                return pages.Current.Error;
        }
        return ErrorCode.Ok;
    }

    private static async Task<WatchPage> NextAsync(IAsyncEnumerator<WatchPage> pages)
    {
        Assert.True(await pages.MoveNextAsync().AsTask().WaitAsync(Patience));
        return pages.Current;
    }

    private static Watch Config(string key, long from, bool isPrefix = false) =>
        new() { Config = new WatchConfig { Key = key, IsPrefix = isPrefix, FromRevision = from } };

    private async Task TransferAsync()
    {
        PeerLoop before = Leader();
        PeerId to = Group.Peers.First(peer => peer != before).Peer;
        before.Post(new PeerInput.TransferLeadership(to));
        while (Gateway.GetStatus().LeaderId == before.Peer.Value)
            await Task.Delay(10, _patience.Token);
    }

    private async Task<long> WriteAsync(string key, byte[]? value = null)
    {
        var command = new Command
        {
            SessionId = _writer,
            RequestId = ++_requests,
            PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFrom(value ?? []) },
        };
        while (true)
        {
            CommandResult result = (await Gateway.ExecuteAsync(command, _patience.Token)).Result;
            if (result.Error == ErrorCode.Ok)
                return result.Revision;
            Assert.True(result.Error is ErrorCode.OutcomeUnknown or ErrorCode.NoQuorum, $"{result.Error}");
        }
    }
}
