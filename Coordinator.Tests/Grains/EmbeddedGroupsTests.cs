using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Tests.Contracts;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>Four groups in one process, over one database.</summary>
[Collection(PostgresCollection.Name)]
public sealed class EmbeddedGroupsTests(PostgresServer server) : EmbeddedGroupScenario(server)
{
    private int _groups = 4;

    private protected override int Groups => _groups;

    [Fact]
    public async Task Each_group_has_sessions_locks_and_revisions_of_its_own_and_all_come_back_after_a_restart()
    {
        var sessions = new long[Groups];
        var revisions = new long[Groups];
        for (int group = 0; group < Groups; group++)
        {
            sessions[group] = await CreateSessionAsync(group);
            for (int times = 0; times <= group; times++)
                revisions[group] = (await ExecuteAsync(group, Put(group, $"{times}"))).Position.Revision;
            CommandAnswer granted = await AcquireAsync(group, sessions[group]);
            Assert.Equal(Outcome.Granted, granted.Result.Outcome);
            Assert.Equal(group, granted.Position.Group);
        }
        Assert.Equal(4, await CountAsync("SELECT count(DISTINCT group_id) FROM coordinator.peer"));
        Guid cluster = Silo.ClusterId;
        await Silo.DisposeAsync();
        Silo = await StartAsync();

        Assert.Equal(cluster, Silo.ClusterId);
        for (int group = 0; group < Groups; group++)
        {
            long other = await CreateSessionAsync(group);
            Assert.Equal(ErrorCode.LockNotAcquired, (await AcquireAsync(group, other)).Result.Error);
            QueryAnswer got = await Silo.Gateways[group].QueryAsync(
                new Query { GetConfig = new GetConfig { Key = KeyOf(group) } }, CancellationToken.None);
            Assert.Equal($"{group}", got.Entries[0].Value.ToStringUtf8());
            Assert.Equal(revisions[group], got.Entries[0].ModifyRevision);
        }
    }

    [Fact]
    public async Task Another_number_of_groups_does_not_start_and_the_stored_one_does()
    {
        await ExecuteAsync(3, Put(3, "kept"));
        await Silo.DisposeAsync();
        foreach (int wrong in (int[])[1, 3, 5])
        {
            _groups = wrong;
            GroupStartException refused = await Assert.ThrowsAsync<GroupStartException>(() => StartAsync());
            Assert.Contains("founded with 4 groups", refused.Message, StringComparison.Ordinal);
            Assert.Contains($"Coordinator:Groups is {wrong}", refused.Message, StringComparison.Ordinal);
        }
        _groups = 4;
        Silo = await StartAsync();
        QueryAnswer got = await Silo.Gateways[3].QueryAsync(
            new Query { GetConfig = new GetConfig { Key = KeyOf(3) } }, CancellationToken.None);
        Assert.Equal("kept", got.Entries[0].Value.ToStringUtf8());
    }

    [Fact]
    public async Task A_founding_that_is_cut_short_leaves_nothing_and_the_next_start_founds_all_groups()
    {
        await Silo.DisposeAsync();
        // As it was before the first start, but for a row of the last group that can't be stored.
        await ExecuteAsync(
            """
            TRUNCATE coordinator.cluster, coordinator.peer, coordinator.log, coordinator.snapshot_chunk;
            CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
            CREATE TRIGGER cut BEFORE INSERT ON coordinator.peer FOR EACH ROW WHEN (NEW.group_id = 3) EXECUTE FUNCTION cut();
            """);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => StartAsync());
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM coordinator.peer"));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM coordinator.cluster"));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM coordinator.snapshot_chunk"));
        await ExecuteAsync("DROP TRIGGER cut ON coordinator.peer");

        Silo = await StartAsync();
        for (int group = 0; group < Groups; group++)
            await ExecuteAsync(group, Put(group, "founded"));
        Assert.Equal(12, await CountAsync("SELECT count(*) FROM coordinator.peer"));
    }

    [Fact]
    public async Task The_end_of_a_session_says_of_which_group_it_was()
    {
        long session = await CreateSessionAsync(2);
        var ended = new TaskCompletionSource<SessionEnded>(TaskCreationOptions.RunContinuationsAsynchronously);
        using IDisposable listening = Silo.Gateways[2].OnSessionEnded(session, ended.SetResult);
        await ExecuteAsync(2, new Command { SessionId = session, EndSession = new EndSession() });
        SessionEnded told = await ended.Task.WaitAsync(Patience);
        Assert.Equal((2, session), (told.Group, told.SessionId));
    }

    [Fact]
    public async Task A_peer_that_is_lost_is_replaced_in_its_own_group()
    {
        PeerLoop lost = Silo[1].Peers[0].Peer.Value == Silo.Gateways[1].GetStatus().LeaderId ? Silo[1].Peers[1] : Silo[1].Peers[0];
        await ExecuteAsync(1, Put(1, "before"));
        await Silo.DisposeAsync();
        await ExecuteAsync($"DELETE FROM coordinator.peer WHERE group_id = 1 AND peer_id = {lost.Peer}");
        Silo = await StartAsync();
        await UntilAsync(() => Silo.Gateways[1].GetStatus() is { VotersCaughtUp: 3 } status
            && status.Peers.Select(peer => peer.PeerId).Contains(4) && status.Peers.Count == 3);
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM coordinator.peer WHERE peer_id = 4 AND group_id <> 1"));
    }

    private static string KeyOf(int group) => $"{GroupNames.In(group, 4)}/key";

    private static Command Put(int group, string value) =>
        new() { PutConfig = new PutConfig { Key = KeyOf(group), Value = ByteString.CopyFromUtf8(value) } };

    private async Task<CommandAnswer> ExecuteAsync(int group, Command command)
    {
        CommandAnswer answer = await Silo.Gateways[group].ExecuteAsync(command, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);
        return answer;
    }

    private async Task<long> CreateSessionAsync(int group) =>
        (await ExecuteAsync(group, new Command { CreateSession = new CreateSession { TtlUs = 60_000_000 } })).Result.SessionId;

    private Task<CommandAnswer> AcquireAsync(int group, long session) => Silo.Gateways[group].ExecuteAsync(
        new Command { SessionId = session, AcquireLock = new AcquireLock { Name = KeyOf(group) } }, CancellationToken.None);

    private async Task<long> CountAsync(string sql)
    {
        await using NpgsqlConnection connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
