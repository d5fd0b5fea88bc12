using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Grains;

/// <summary>How silos become a cluster, whatever stops in between; and how a request finds the leader's silo.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ClusterGroupTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SilosInMemory _silos = new(server);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _silos.EndAsync();

    [Fact]
    public async Task Nothing_is_founded_while_a_silo_is_missing_and_one_cluster_when_all_are_there()
    {
        await _silos.StartAsync("b", "c");
        await NoticeAsync("b", "missing: a");
        await NoticeAsync("c", "missing: a");
        await _silos.StartAsync("a");
        await OneClusterAsync();
        await PutAsync("b", "founded");
    }

    [Fact]
    public async Task The_founder_alone_founds_nothing_while_the_last_one_is_missing()
    {
        await _silos.StartAsync("a", "b");
        await NoticeAsync("a", "missing: c");
        await _silos.StopAsync("a", "b");
        await _silos.StartAsync("c", "b");
        await NoticeAsync("b", "missing: a");
        Assert.False(_silos.Joined("b").IsCompleted);
        Assert.False(_silos.Joined("c").IsCompleted);
    }

    [Fact]
    public async Task Who_stopped_before_it_took_its_part_takes_it_after_the_start_that_follows()
    {
        // The founder stores the cluster; nobody else has heard of it when all stop.
        _silos.TellOfClusterOnly("a");
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid founded = await _silos.Joined("a").WaitAsync(Patience);
        Assert.False(_silos.Joined("b").IsCompleted);
        await _silos.StopAsync(SilosInMemory.Ids);
        _silos.Interfere = (_, _, _) => null;

        await _silos.StartAsync("b", "c");
        await NoticeAsync("b", "missing: a");
        await _silos.StopAsync("c");
        await _silos.StartAsync("a");
        Assert.Equal(founded, await _silos.Joined("b").WaitAsync(Patience));
        await PutAsync("a", "with two");
        // The last one hears of it from the one that isn't its founder.
        await _silos.StopAsync("a");
        await _silos.StartAsync("c");
        Assert.Equal(founded, await _silos.Joined("c").WaitAsync(Patience));
        await PutAsync("c", "with the other two");
    }

    [Fact]
    public async Task A_founder_that_lost_its_database_before_anybody_heard_founds_again_and_after_that_never()
    {
        _silos.TellOfClusterOnly("a");
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid forgotten = await _silos.Joined("a").WaitAsync(Patience);
        await _silos.StopAsync(SilosInMemory.Ids);
        await _silos.LoseDatabaseAsync("a");
        _silos.Interfere = (_, _, _) => null;
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid founded = await OneClusterAsync();
        Assert.NotEqual(forgotten, founded);

        await _silos.StopAsync("a");
        await _silos.LoseDatabaseAsync("a");
        await _silos.StartAsync("a");
        Assert.Equal(founded, await _silos.Joined("a").WaitAsync(Patience));
        Assert.Empty(_silos["a"].Peers);
        await NoticeAsync("a", "is lost");
        await PutAsync("a", "through the others");
    }

    [Fact]
    public async Task Silos_with_different_lists_of_silos_found_nothing()
    {
        _silos.Configured = silo => silo == "c" ? ["a", "b", "c", "d", "e"] : SilosInMemory.Ids;
        await _silos.StartAsync(SilosInMemory.Ids);
        await NoticeAsync("a", "Silo c is configured with the silos a, b, c, d, e");
    }

    [Fact]
    public async Task A_database_serves_the_silo_and_the_host_that_it_was_made_for()
    {
        var embedded = new SiloGroupOptions
        {
            Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(await _silos.DatabaseOfAsync("a")) },
            SiloId = "test",
        };
        await using (await SiloGroups.StartAsync(
            embedded, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None))
        {
        }
        GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => _silos.OpenAsync("a"));
        Assert.Contains("embedded host", refused.Message, StringComparison.Ordinal);

        await using (await _silos.OpenAsync("b"))
        {
        }
        embedded = embedded with
        {
            Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(await _silos.DatabaseOfAsync("b")) },
        };
        refused = await Assert.ThrowsAsync<GroupStartException>(() => SiloGroups.StartAsync(
            embedded, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None));
        Assert.Contains("silo b", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_may_have_reached_the_leader_is_not_sent_again_and_what_has_not_is()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await PutAsync("a", "before");
        (string leader, string other) = await LeaderAndOtherAsync();
        int asked = 0;
        _silos.Interfere = (own, _, request) => own == other && request.Command is not null
            ? SilosInMemory.Failure(Interlocked.Increment(ref asked) <= 2 ? ErrorCode.NoQuorum : ErrorCode.OutcomeUnknown)
            : null;
        CommandAnswer answer = await TryPutAsync(other, "once").WaitAsync(Patience);
        Assert.Equal(ErrorCode.OutcomeUnknown, answer.Result.Error);
        Assert.Equal(3, asked);
        Assert.Equal($"http://{leader}", answer.LeaderHint);
    }

    [Fact]
    public async Task A_forwarded_request_is_not_forwarded_again()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await PutAsync("a", "before");
        (_, string other) = await LeaderAndOtherAsync();
        ForwardedAnswer answer = await _silos[other].AnswerAsync(
            new ForwardedRequest { Command = Put("forwarded") }, CancellationToken.None);
        Assert.Equal(ErrorCode.NotLeader, answer.Command.Result.Error);
    }

    [Fact]
    public async Task A_message_of_a_peer_that_comes_from_another_silo_is_dropped()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await PutAsync("a", "before");
        PeerLoop receiver = _silos["c"].Peers.Single();
        PeerRecord sender = receiver.Status.Membership.Find(new PeerId(1))!.Value;
        Term later = new(receiver.Status.Term.Value + 10);
        Envelope heartbeat = new(
            0, sender.Id, sender.StorageId, Epoch: 1, receiver.Peer, ReceiverEpoch: 0, new PeerReport(1, 0, 0),
            new Message { Type = MessageType.Heartbeat, From = sender.Id, To = receiver.Peer, Term = later });
        _silos["c"].Received("b", heartbeat);
        // A round of the loop later it would have been taken in.
        await PutAsync("c", "after");
        Assert.True(receiver.Status.Term < later);
        _silos["c"].Received("a", heartbeat);
        using var limit = new CancellationTokenSource(Patience);
        while (receiver.Status.Term < later)
            await Task.Delay(20, limit.Token);
    }

    [Fact]
    public async Task Each_silo_tells_its_watchers_and_whoever_listens_for_the_end_of_a_session()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await PutAsync("a", "before");
        CommandAnswer created = await _silos["a"].Gateway.ExecuteAsync(
            new Command
            {
                CreateSession = new CreateSession { Nonce = ByteString.CopyFrom(new byte[16]), TtlUs = 60_000_000 },
            },
            CancellationToken.None);
        using var leaving = new CancellationTokenSource(Patience);
        var watch = new Watch { Config = new WatchConfig { Key = "key", FromRevision = created.Position.Revision + 1 } };
        var told = new List<Task>();
        foreach (string silo in SilosInMemory.Ids)
        {
            var ended = new TaskCompletionSource();
            _silos[silo].Gateway.OnSessionEnded(created.Result.SessionId, _ => ended.SetResult());
            told.Add(ended.Task);
            told.Add(_silos[silo].Gateway.WatchAsync(watch, leaving.Token)
                .FirstAsync(page => page.Events.Count > 0, leaving.Token).AsTask());
        }
        await PutAsync("b", "after");
        await _silos["c"].Gateway.ExecuteAsync(
            new Command { SessionId = created.Result.SessionId, RequestId = 1, EndSession = new EndSession() },
            CancellationToken.None);
        await Task.WhenAll(told).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_silo_that_lost_its_peer_tells_its_watchers_through_the_leaders_silo_whoever_leads()
    {
        _silos.LeaderTimeout = TimeSpan.FromSeconds(3);
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await _silos.StopAsync("c");
        await _silos.LoseDatabaseAsync("c");
        await _silos.StartAsync("c");
        await _silos.Joined("c").WaitAsync(Patience);
        Assert.Empty(_silos["c"].Peers);
        await PutAsync("a", "before");

        using var leaving = new CancellationTokenSource(Patience);
        await using IAsyncEnumerator<WatchPage> pages = _silos["c"].Gateway
            .WatchAsync(new Watch { Config = new WatchConfig { Key = "key" } }, leaving.Token).GetAsyncEnumerator(leaving.Token);
        Assert.True(await pages.MoveNextAsync());
        Assert.Equal((ErrorCode.Ok, 0), (pages.Current.Error, pages.Current.Events.Count));
        foreach (int leader in (int[])[2, 1, 2])
        {
            ClusterAnswer moved = await _silos["c"].Gateway.AdministerAsync(
                new ClusterRequest { TransferLeadership = new TransferLeadership { ToPeerId = leader } }, leaving.Token);
            Assert.Equal(ErrorCode.Ok, moved.Error);
            await PutAsync("c", $"{leader} leads");
            do
                Assert.True(await pages.MoveNextAsync());
            while (pages.Current is { Error: ErrorCode.Ok, Events: [] });
            Assert.Equal([$"{leader} leads"], pages.Current.Events.Select(change => change.Entry.Value.ToStringUtf8()));
        }
        // It keeps nobody who could be told elsewhere.
        await _silos.StopAsync("a", "b");
        while (pages.Current.Error == ErrorCode.Ok)
            Assert.True(await pages.MoveNextAsync());
        Assert.Equal(ErrorCode.NotLeader, pages.Current.Error);
    }

    private async Task<Guid> OneClusterAsync()
    {
        Guid[] joined = await Task.WhenAll(SilosInMemory.Ids.Select(_silos.Joined)).WaitAsync(Patience);
        Assert.Single(joined.Distinct());
        return joined[0];
    }

    private async Task NoticeAsync(string silo, string text)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (_silos[silo].Gateway.GetStatus().Notice?.Contains(text, StringComparison.Ordinal) != true)
            await Task.Delay(20, limit.Token);
    }

    private async Task<(string Leader, string Other)> LeaderAndOtherAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            long leader = _silos["b"].Gateway.GetStatus().LeaderId;
            if (leader != 0)
            {
                string silo = SilosInMemory.Ids[leader - 1];
                return (silo, SilosInMemory.Ids.First(id => id != silo));
            }
            await Task.Delay(20, limit.Token);
        }
    }

    private async Task PutAsync(string silo, string value)
    {
        CommandAnswer answer = await TryPutAsync(silo, value).WaitAsync(Patience);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);
        foreach (string other in SilosInMemory.Ids)
        {
            if (!_silos.IsUp(other))
                continue;
            QueryAnswer read = await _silos[other].Gateway.QueryAsync(
                new Query { GetConfig = new GetConfig { Key = "key" } }, CancellationToken.None).WaitAsync(Patience);
            Assert.Equal(value, read.Entries[0].Value.ToStringUtf8());
        }
    }

    private Task<CommandAnswer> TryPutAsync(string silo, string value) =>
        _silos[silo].Gateway.ExecuteAsync(Put(value), CancellationToken.None);

    private static Command Put(string value) =>
        new() { PutConfig = new PutConfig { Key = "key", Value = ByteString.CopyFromUtf8(value) } };
}
