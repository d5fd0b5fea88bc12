using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Replica;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Grains;

/// <summary>An embedded group that falls asleep, on a real PostgreSQL.</summary>
[Collection(PostgresCollection.Name)]
public sealed class EmbeddedRestTests(PostgresServer server) : EmbeddedGroupScenario(server)
{
    private protected override ReplicaOptions Replica => new() { TickUs = 20_000, LazyCommitUs = 20_000, QuiesceElections = 1 };

    [Fact]
    public async Task A_group_falls_asleep_wakes_for_a_request_and_falls_asleep_again()
    {
        await PutAsync("before");
        await SleepAsync();
        Assert.True(Gateway.IsReady);
        long term = Gateway.GetStatus().Term;

        await PutAsync("after");
        Assert.Equal(ErrorCode.Ok, (await GetAsync("before")).Error);
        Assert.Equal(term, Gateway.GetStatus().Term);
        await SleepAsync();
    }

    [Fact]
    public async Task A_session_keeps_it_awake_until_it_has_expired()
    {
        CommandAnswer answer = await Gateway.ExecuteAsync(
            new Command { CreateSession = new CreateSession { TtlUs = 1_000_000 } }, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);

        await SleepAsync();
        Assert.All(Group.Peers, peer => Assert.Equal(0, peer.Status.Sessions));
    }

    [Fact]
    public async Task A_leader_that_stops_in_its_sleep_is_followed_by_another()
    {
        await SleepAsync();
        PeerLoop stopped = Leader();
        Stop(stopped);

        await UntilAsync(() => Group.Peers.Any(peer => peer != stopped && peer.Status.IsReady));
        await PutAsync("after");
    }

    private Task SleepAsync() => UntilAsync(() => Group.Peers.All(peer => peer.Status.IsQuiesced));
}
