using Coordinator.Contracts;
using Coordinator.Grains.Orleans;
using Coordinator.Raft;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Orleans;
using Orleans.Core.Internal;
using ErrorCode = Coordinator.Contracts.ErrorCode;

namespace Coordinator.Tests.Orleans;

/// <summary>
/// A group whose silo asks its peer only once, at the start, how it is. One peer: of several, any that is active brings the
/// others back by what it has to say to them.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class ReminderTests(PostgresServer server) : SiloScenario(server)
{
    private OrleansGroup Group => Running[0].Group;

    [Fact]
    public async Task The_catalogues_reminder_brings_back_a_peer_that_nobody_looks_after()
    {
        IGroupCatalogueGrain catalogue = Running[0].Grains.GetGrain<IGroupCatalogueGrain>(0);
        await UntilAsync(async () => await catalogue.GetAsync() is not null, "the catalogue knows the peers");
        CommandAnswer put = await Group.Gateway.ExecuteAsync(
            new Command { PutConfig = new PutConfig { Key = "kept", Value = ByteString.CopyFromUtf8("yes") } }, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, put.Result.Error);
        IRaftPeerGrain peer = Running[0].Grains.GetGrain<IRaftPeerGrain>(PeerPlaces.KeyOf(0, new PeerId(1)));
        await peer.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await UntilAsync(async () => Group.Peers.Count == 0 && (await PlacedAsync()).Count == 0, "it is active nowhere");
        Assert.Equal(ErrorCode.NoQuorum, (await ReadAsync()).Error);
        Assert.Empty(await PlacedAsync());

        await catalogue.AsReference<IRemindable>().ReceiveReminder("wake the peers", default);
        await UntilAsync(() => Task.FromResult(Group.AllRun(out _)), "it runs");
        Assert.Equal("yes", (await ReadAsync()).Entries[0].Value.ToStringUtf8());
    }

    protected override OrleansGroupOptions Options() => base.Options() with
    {
        LookInterval = TimeSpan.FromHours(1),
        LeaderTimeout = TimeSpan.FromSeconds(2),
        Peers = 1,
    };

    private async Task<ICollection<PeerId>> PlacedAsync() =>
        [.. (await Running[0].Get<PeerWhereabouts>().ReadAsync(0)).Keys];

    private Task<QueryAnswer> ReadAsync() => Group.Gateway.QueryAsync(
        new Query { GetConfig = new GetConfig { Key = "kept" } }, CancellationToken.None).WaitAsync(Patience);
}
