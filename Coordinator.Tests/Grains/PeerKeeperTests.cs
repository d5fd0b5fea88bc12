using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>Peers that are lost are replaced by new ones, under new ids (rule 1), on a real PostgreSQL.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PeerKeeperTests(PostgresServer server) : EmbeddedGroupScenario(server)
{
    private protected override ReplicaOptions Replica => new() { TickUs = 20_000, LazyCommitUs = 100_000 };

    [Fact]
    public async Task A_peer_whose_row_is_gone_is_replaced_while_the_others_serve()
    {
        await PutAsync("before");
        await DeleteRowAsync(2);

        await UntilVotersAreAsync(1, 3, 4);

        await PutAsync("after");
        await UntilAsync(() => AppliedBy(4) == AppliedBy(1) && AppliedBy(4) == AppliedBy(3));
        Assert.Equal(3, Group.Peers.Count);
        long[] stored = await StoredPeersAsync();
        Assert.Equal([1, 3, 4], stored);
    }

    [Fact]
    public async Task A_peer_that_is_missing_at_the_start_is_replaced()
    {
        await PutAsync("before");
        await Silo.DisposeAsync();
        await DeleteRowAsync(3);
        Silo = await StartAsync();

        await UntilVotersAreAsync(1, 2, 4);
        Assert.Equal("before", (await GetAsync("before")).Entries[0].Value.ToStringUtf8());
    }

    [Fact]
    public async Task A_peer_that_was_made_for_nobody_is_the_one_that_takes_a_lost_ones_place()
    {
        var storageId = Guid.NewGuid();
        await MakeAsync(new PeerId(4), storageId, addition: null);
        await DeleteRowAsync(2);

        await UntilVotersAreAsync(1, 3, 4);
        Assert.Equal(storageId, Group.SettledLeader()!.Membership.Find(new PeerId(4))!.Value.StorageId);
    }

    [Fact]
    public async Task Peers_that_were_made_and_not_proposed_join()
    {
        await Group.Changing.WaitAsync();
        try
        {
            foreach (long peer in (long[])[4, 5])
            {
                var id = new PeerId(peer);
                var addition = new PeerAddition(new PeerKey(0, id), Guid.NewGuid(), Guid.NewGuid(), StaysLearner: false);
                await MakeAsync(id, addition.StorageId, addition);
            }
        }
        finally
        {
            Group.Changing.Release();
        }

        await UntilVotersAreAsync(1, 2, 3, 4, 5);
    }

    [Fact]
    public async Task Two_lost_peers_one_after_the_other_are_replaced_and_the_log_goes_on()
    {
        await DeleteRowAsync(1);
        await UntilVotersAreAsync(2, 3, 4);
        await DeleteRowAsync(3);
        await UntilVotersAreAsync(2, 4, 5);

        CommandAnswer put = await PutAsync("on");
        Assert.Equal(put.Result.Revision, (await GetAsync("on")).Entries[0].ModifyRevision);
    }

    private Task UntilVotersAreAsync(params long[] voters) => UntilAsync(() =>
    {
        GroupMembership? now = Group.Peers.FirstOrDefault(peer => peer.Status.IsReady)?.Status.Membership;
        return now is { ConfState: { VotersOutgoing.Count: 0, Learners.Count: 0 } confState }
            && confState.Voters.Select(voter => voter.Value).SequenceEqual(voters)
            && Group.Peers.Count == voters.Length;
    });

    private Task DeleteRowAsync(long peer) => ExecuteAsync($"DELETE FROM coordinator.peer WHERE peer_id = {peer}");

    private async Task<long[]> StoredPeersAsync()
    {
        await using NpgsqlConnection connection = await ConnectAsync();
        await using var command = new NpgsqlCommand("SELECT peer_id FROM coordinator.peer ORDER BY peer_id", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var peers = new List<long>();
        while (await reader.ReadAsync())
            peers.Add(reader.GetInt64(0));
        return [.. peers];
    }
}
