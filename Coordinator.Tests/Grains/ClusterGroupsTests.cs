using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Tests.Contracts;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>Three groups on three silos, each with a database of its own.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ClusterGroupsTests(PostgresServer server) : IAsyncLifetime
{
    private const int Groups = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SilosInMemory _silos = new(server) { Groups = _ => Groups, SpreadInterval = TimeSpan.FromMilliseconds(200) };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _silos.EndAsync();

    [Fact]
    public async Task The_leaders_are_on_three_silos_and_again_after_one_has_died_and_come_back()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await SpreadAsync("a");
        await PutAllAsync("a", "before");

        await _silos.StopAsync("b");
        await PutAllAsync("c", "without b");
        await _silos.StartAsync("b");
        await _silos.Joined("b").WaitAsync(Patience);
        await SpreadAsync("b");
        await PutAllAsync("b", "with b");
    }

    [Fact]
    public async Task No_leader_is_moved_while_a_group_lacks_a_voter()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await _silos.StopAsync("c");
        foreach (GroupGateway gateway in _silos.On("a").Gateways)
            await LedByAsync(gateway, "a");
        // Ten times as long as somebody who may move one would take.
        await Task.Delay(10 * _silos.SpreadInterval);
        Assert.All(_silos.On("a").Gateways, gateway => Assert.Equal("a", LeaderOf(gateway)));

        await _silos.StartAsync("c");
        await _silos.Joined("c").WaitAsync(Patience);
        await SpreadAsync("a");
    }

    [Fact]
    public async Task Who_stopped_before_it_took_its_part_takes_it_in_all_groups_after_the_start_that_follows()
    {
        _silos.TellOfClusterOnly("a");
        await _silos.StartAsync(SilosInMemory.Ids);
        Guid founded = await _silos.Joined("a").WaitAsync(Patience);
        await _silos.StopAsync(SilosInMemory.Ids);
        _silos.Interfere = (_, _, _) => null;
        await _silos.StartAsync(SilosInMemory.Ids);
        Assert.Equal(founded, await OneClusterAsync());
        await PutAllAsync("c", "founded");
        foreach (string silo in SilosInMemory.Ids)
        {
            await using NpgsqlConnection connection = await server.ConnectAsync(await _silos.DatabaseOfAsync(silo));
            await using var command = new NpgsqlCommand(
                "SELECT count(DISTINCT storage_id)::int FROM coordinator.peer", connection);
            Assert.Equal(Groups, await command.ExecuteScalarAsync());
        }
    }

    [Fact]
    public async Task A_silo_that_lost_its_database_has_no_peer_of_any_group_until_they_are_replaced()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await PutAllAsync("a", "before");
        await _silos.StopAsync("c");
        await _silos.LoseDatabaseAsync("c");
        await _silos.StartAsync("c");
        await _silos.Joined("c").WaitAsync(Patience);
        Assert.All(_silos.On("c").Groups, group => Assert.Empty(group.Peers));
        // All groups at the same time: one of them makes the database take part in the cluster.
        await Task.WhenAll(Enumerable.Range(0, Groups).Select(ReplaceAsync)).WaitAsync(Patience);
        await UntilAsync(() => _silos.On("a").Gateways.All(gateway => gateway.GetStatus() is { VotersCaughtUp: 3, Peers.Count: 3 }));
        await _silos.StopAsync("c");
        await _silos.StartAsync("c");
        await _silos.Joined("c").WaitAsync(Patience);
        Assert.All(_silos.On("c").Groups, group => Assert.Single(group.Peers));
    }

    [Fact]
    public async Task Silos_with_different_numbers_of_groups_found_nothing_and_say_why()
    {
        _silos.Groups = silo => silo == "c" ? 4 : Groups;
        await _silos.StartAsync(SilosInMemory.Ids);
        await UntilAsync(() => _silos["a"].Gateway.GetStatus().Notice?.Contains("Silo c is configured with Coordinator:Groups = 4", StringComparison.Ordinal) == true);
        Assert.All(SilosInMemory.Ids, silo => Assert.False(_silos.Joined(silo).IsCompleted));
    }

    [Fact]
    public async Task A_silo_with_another_number_of_groups_than_its_cluster_has_does_not_start()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        await _silos.StopAsync("c");
        _silos.Groups = silo => silo == "c" ? 4 : Groups;
        GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => _silos.OpenAsync("c"));
        Assert.Contains("founded with 3 groups", refused.Message, StringComparison.Ordinal);

        // Nor with an empty database, when it hears from the others.
        await _silos.LoseDatabaseAsync("c");
        await _silos.StartAsync("c");
        refused = await Assert.ThrowsAsync<GroupStartException>(() => _silos.Joined("c").WaitAsync(Patience));
        Assert.Contains("founded with 3 groups", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_for_a_group_that_is_not_there_is_refused_by_another_silo()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        await OneClusterAsync();
        ForwardedAnswer answer = await _silos.On("a").AnswerAsync(
            new ForwardedRequest { Group = Groups, Command = Put(0, "x") }, CancellationToken.None);
        Assert.Equal(ErrorCode.InvalidRequest, answer.Failure.Code);
    }

    private async Task ReplaceAsync(int group)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var request = new ClusterRequest
            {
                Group = group,
                AddPeer = new GrowGroup { Nonce = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()), Silo = "c", Replaces = 3 },
            };
            ClusterAnswer answer = await _silos.On("a").Gateways[group].AdministerAsync(request, limit.Token);
            if (answer.Error == ErrorCode.Ok)
                return;
            Assert.Contains(answer.Error, (ErrorCode[])[ErrorCode.SiloUnreachable, ErrorCode.PeerChangeInProgress, ErrorCode.NoQuorum]);
            await Task.Delay(50, limit.Token);
        }
    }

    private async Task<Guid> OneClusterAsync()
    {
        Guid[] joined = await Task.WhenAll(SilosInMemory.Ids.Select(_silos.Joined)).WaitAsync(Patience);
        return Assert.Single(joined.Distinct());
    }

    /// <summary>As the silo sees it: each silo leads one group.</summary>
    private Task SpreadAsync(string silo) => UntilAsync(
        () => _silos.On(silo).Gateways.Select(LeaderOf).Distinct().Count(leader => leader is not null) == 3);

    /// <summary>Null: none is known.</summary>
    private static string? LeaderOf(GroupGateway gateway)
    {
        GroupStatus status = gateway.GetStatus();
        return status.Peers.FirstOrDefault(peer => peer.PeerId == status.LeaderId)?.Silo;
    }

    private static async Task LedByAsync(GroupGateway gateway, string silo)
    {
        GroupStatus status = gateway.GetStatus();
        var request = new ClusterRequest
        {
            Group = status.Group,
            TransferLeadership = new TransferLeadership { ToPeerId = status.Peers.Single(peer => peer.Silo == silo).PeerId },
        };
        using var limit = new CancellationTokenSource(Patience);
        while (LeaderOf(gateway) != silo)
        {
            await gateway.AdministerAsync(request.Clone(), limit.Token);
            await Task.Delay(20, limit.Token);
        }
    }

    private async Task PutAllAsync(string silo, string value)
    {
        for (int group = 0; group < Groups; group++)
        {
            CommandAnswer answer = await _silos.On(silo).Gateways[group]
                .ExecuteAsync(Put(group, value), CancellationToken.None).WaitAsync(Patience);
            Assert.Equal(ErrorCode.Ok, answer.Result.Error);
            Assert.Equal(group, answer.Position.Group);
        }
    }

    private static Command Put(int group, string value) => new()
    {
        PutConfig = new PutConfig { Key = GroupNames.In(group, Groups), Value = ByteString.CopyFromUtf8(value) },
    };

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(20, limit.Token);
    }
}
