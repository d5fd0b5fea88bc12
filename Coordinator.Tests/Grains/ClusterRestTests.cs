using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Raft;
using Coordinator.Tests.Postgres;
using Google.Protobuf;

namespace Coordinator.Tests.Grains;

/// <summary>A group of three silos that falls asleep, each silo on a database of its own.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ClusterRestTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SilosInMemory _silos = new(server);

    public async Task InitializeAsync()
    {
        await _silos.StartAsync(SilosInMemory.Ids);
        foreach (string silo in SilosInMemory.Ids)
            await _silos.Joined(silo).WaitAsync(Patience);
    }

    public async Task DisposeAsync() => await _silos.EndAsync();

    [Fact]
    public async Task The_loss_of_the_link_to_the_leaders_silo_wakes_the_others()
    {
        await PutAsync("a", "before");
        await SleepAsync(SilosInMemory.Ids);
        string leader = SilosInMemory.Ids.Single(silo => PeerOf(silo).Status.Role == RaftState.Leader);
        await _silos.StopAsync(leader);

        string[] others = [.. SilosInMemory.Ids.Where(silo => silo != leader)];
        await UntilAsync(() => others.Any(silo => PeerOf(silo).Status.IsReady));
        await PutAsync(others[0], "after");
    }

    [Fact]
    public async Task A_silo_that_comes_back_wakes_the_others_and_they_fall_asleep_together()
    {
        await SleepAsync(SilosInMemory.Ids);
        string follower = SilosInMemory.Ids.First(silo => PeerOf(silo).Status.Role == RaftState.Follower);
        await _silos.StopAsync(follower);
        await PutAsync(SilosInMemory.Ids.First(silo => silo != follower), "without one");
        await _silos.StartAsync(follower);
        await _silos.Joined(follower).WaitAsync(Patience);

        await SleepAsync(SilosInMemory.Ids);
        Assert.Single(SilosInMemory.Ids.Select(silo => PeerOf(silo).Status.AppliedIndex).Distinct());
        await PutAsync(follower, "with all");
    }

    private PeerLoop PeerOf(string silo) => _silos[silo].Peers.Single();

    private Task SleepAsync(string[] silos) =>
        UntilAsync(() => silos.All(silo => _silos[silo].Peers.Any() && PeerOf(silo).Status.IsQuiesced));

    private async Task PutAsync(string silo, string key)
    {
        CommandAnswer answer = await _silos[silo].Gateway.ExecuteAsync(
            new Command { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(key) } }, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, patience.Token);
    }
}
