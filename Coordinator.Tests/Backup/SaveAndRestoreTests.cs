using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Recovery;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Tests.EndToEnd;
using Coordinator.Tests.Grains;
using Coordinator.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Backup;

/// <summary>Groups on a real PostgreSQL: one is saved, or loses its quorum, and another is made of what was kept.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SaveAndRestoreTests(PostgresServer server) : EmbeddedGroupScenario(server)
{
    private static readonly TimeSpan HoldBack = TimeSpan.FromSeconds(3);

    private readonly PostgresServer _server = server;

    [Fact]
    public async Task A_restored_group_has_the_configuration_and_grants_later_and_higher()
    {
        CommandAnswer put = await PutAsync("colour");
        long session = await CreateSessionAsync(ttlUs: 2_000_000);
        long token = (await AcquireAsync(Gateway, session, wait: 0)).Result.Token;
        var guard = new FencedResource("lock");
        Assert.NotNull(guard.Read(token));
        SnapshotFile file = await SaveAsync();

        await using Restored after = await RestoreAsync(file);
        GroupGateway gateway = after.Group.Gateway;
        Assert.NotEqual(Silo.ClusterId, after.Silo.ClusterId);

        // The one before still holds it, for all that it knows.
        Assert.Equal(ErrorCode.SessionNotFound, (await AcquireAsync(gateway, session, wait: 0)).Result.Error);
        long next = await CreateSessionAsync(gateway);
        Assert.Equal(ErrorCode.GrantsHeldBack, (await AcquireAsync(gateway, next, wait: 0)).Result.Error);
        long asked = TimeProvider.System.GetTimestamp();
        CommandAnswer granted = await AcquireAsync(gateway, next, wait: -1);
        Assert.Equal(Outcome.Granted, granted.Result.Outcome);
        Assert.True(TimeProvider.System.GetElapsedTime(asked) > HoldBack / 2);
        Assert.NotNull(guard.Read(granted.Result.Token));
        Assert.Null(guard.Read(token));

        QueryAnswer read = await gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = "colour" }, SeenIndex = token }, CancellationToken.None);
        Assert.Equal("colour", read.Entries[0].Value.ToStringUtf8());
        Assert.True(read.Position.Revision > put.Result.Revision);
        // A client of the group before that goes on with its watch is told that it has missed something.
        await foreach (WatchPage page in gateway.WatchAsync(
            new Watch { Config = new WatchConfig { Key = "colour", FromRevision = put.Result.Revision + 1 } }, CancellationToken.None))
        {
            Assert.Equal(ErrorCode.Compacted, page.Error);
            break;
        }
    }

    [Fact]
    public async Task What_was_acknowledged_before_the_request_is_in_the_snapshot()
    {
        for (int i = 0; i < 20; i++)
        {
            CommandAnswer put = await PutAsync($"key-{i}");
            SnapshotFile file = await SaveAsync();
            Assert.True(file.Header.Revision >= put.Result.Revision);
            Assert.Equal(i + 1, StateContents.Of(file.State).Keys);
        }
    }

    [Fact]
    public async Task One_snapshot_is_sent_at_a_time()
    {
        using (SavedGroup first = await Gateway.SaveAsync(0, CancellationToken.None))
        {
            Assert.NotNull(first.State);
            using SavedGroup second = await Gateway.SaveAsync(0, CancellationToken.None);
            Assert.Equal(ErrorCode.SnapshotInProgress, second.Error);
        }
        using SavedGroup third = await Gateway.SaveAsync(0, CancellationToken.None);
        Assert.NotNull(third.State);
        using SavedGroup other = await Gateway.SaveAsync(1, CancellationToken.None);
        Assert.Equal(ErrorCode.InvalidRequest, other.Error);
    }

    [Fact]
    public async Task A_request_that_is_abandoned_makes_room_for_the_next()
    {
        using (CancellationTokenSource left = new())
        {
            Task<SavedGroup> abandoned = Gateway.SaveAsync(0, left.Token);
            await left.CancelAsync();
            // It may have been taken first.
            try
            {
                (await abandoned).Dispose();
            }
            catch (OperationCanceledException)
            {
                Assert.True(left.IsCancellationRequested);
            }
        }
        await UntilAsync(() => TrySave());
        bool TrySave()
        {
            using SavedGroup saved = Gateway.SaveAsync(0, CancellationToken.None).GetAwaiter().GetResult();
            return saved.State is not null;
        }
    }

    [Fact]
    public async Task A_database_with_a_cluster_is_not_restored_into()
    {
        SnapshotFile file = await SaveAsync();
        await using Restored after = await RestoreAsync(file);
        Guid made = after.Silo.ClusterId;
        await after.Silo.DisposeAsync();
        var refused = await Assert.ThrowsAsync<GroupStartException>(() => StartAsync(after.Database, file));
        Assert.Contains(made.ToString(), refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_group_that_lost_two_of_three_peers_is_rebuilt_of_the_one_that_is_left(bool isBehind)
    {
        for (int i = 0; i < 5; i++)
            await PutAsync($"key-{i}");
        await Silo.DisposeAsync();
        (long Peer, long LastIndex)[] peers = await PeersAsync();
        long left = isBehind ? peers.MinBy(one => one.LastIndex).Peer : peers.MaxBy(one => one.LastIndex).Peer;
        await ExecuteAsync($"DELETE FROM coordinator.peer WHERE peer_id <> {left}");
        if (isBehind)
            await CutTailAsync(left);

        RecoveryPlan plan = RecoveryPlan.Of([await ReadAsync()]);

        Assert.False(plan.HasQuorum);
        Assert.True(plan.LostCouldCommit);
        Assert.Equal(left, plan.Best.Key.Peer.Value);
        Assert.Equal(2, plan.LostVoters.Count);
        var file = SnapshotFile.Parse(SavedStates.FileOf(SavedStates.Of(plan.State)));
        await using Restored after = await RestoreAsync(file);
        QueryAnswer listed = await after.Group.Gateway.QueryAsync(
            new Query { ListConfig = new ListConfig { Prefix = "key-" } }, CancellationToken.None);
        // Only what the lost ones alone had is missing.
        Assert.Equal(isBehind ? 4 : 5, listed.Entries.Count);
        Assert.True(listed.Position.Revision > file.Header.Revision);
    }

    [Fact]
    public async Task A_damaged_peer_is_named_and_the_others_are_a_quorum()
    {
        await PutAsync("key");
        await Silo.DisposeAsync();
        await ExecuteAsync("UPDATE coordinator.log SET stamp = stamp + 1 WHERE peer_id = 2 AND index = (SELECT max(index) FROM coordinator.log WHERE peer_id = 2)");
        RecoveryPlan plan = RecoveryPlan.Of([await ReadAsync()]);
        Assert.Contains("checksum", Assert.Single(plan.Damaged).Why, StringComparison.Ordinal);
        Assert.True(plan.HasQuorum);
        Assert.Equal([new PeerId(2)], plan.LostVoters);
    }

    [Fact]
    public async Task A_silo_that_runs_is_not_read()
    {
        var refused = await Assert.ThrowsAsync<RecoveryException>(ReadAsync);
        Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
    }

    private Task<SurvivingDatabase> ReadAsync() =>
        SurvivorReader.ReadAsync("the database", ConnectionString, CancellationToken.None);

    /// <summary>The peer as it was before its last put: all that it knew to be committed is left.</summary>
    private async Task CutTailAsync(long peer)
    {
        await using NpgsqlConnection connection = await ConnectAsync();
        var key = new PeerKey(0, new PeerId(peer));
        PeerRow row = (await PeerRow.ReadAsync(connection, key))!;
        IReadOnlyList<Entry> entries = await PeerLoader.ReadLogAsync(connection, row);
        long last = entries.Last(entry => !entry.Data.IsEmpty
            && Command.Parser.ParseFrom(entry.Data.Span).PutConfig is { Key: "key-4" }).Index - 1;
        HardState state = row.HardState with { Commit = Math.Min(row.HardState.Commit, last) };
        await ExecuteAsync(
            $"""
            DELETE FROM coordinator.log WHERE peer_id = {peer} AND index > {last};
            UPDATE coordinator.peer SET last_index = {last}, log_checksum = {RowChecksums.Log(key, last)},
                commit_index = {state.Commit}, checksum = {RowChecksums.State(key, row.WriteSeq, state)} WHERE peer_id = {peer};
            """);
    }

    private async Task<(long Peer, long LastIndex)[]> PeersAsync()
    {
        await using NpgsqlConnection connection = await ConnectAsync();
        await using var command = new NpgsqlCommand("SELECT peer_id, last_index FROM coordinator.peer ORDER BY peer_id", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        List<(long, long)> peers = [];
        while (await reader.ReadAsync())
            peers.Add((reader.GetInt64(0), reader.GetInt64(1)));
        return [.. peers];
    }

    private async Task<SnapshotFile> SaveAsync()
    {
        using SavedGroup saved = await Gateway.SaveAsync(0, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, saved.Error);
        return SnapshotFile.Parse(SavedStates.FileOf(saved.State!));
    }

    private static Task<CommandAnswer> AcquireAsync(GroupGateway gateway, long session, long wait) => gateway.ExecuteAsync(
        new Command { SessionId = session, AcquireLock = new AcquireLock { Name = "lock", WaitUs = wait } }, CancellationToken.None);

    private async Task<long> CreateSessionAsync(GroupGateway? gateway = null, long ttlUs = 60_000_000)
    {
        CommandAnswer answer = await (gateway ?? Gateway).ExecuteAsync(
            new Command { CreateSession = new CreateSession { TtlUs = ttlUs } }, CancellationToken.None);
        Assert.Equal(ErrorCode.Ok, answer.Result.Error);
        return answer.Result.SessionId;
    }

    private async Task<Restored> RestoreAsync(SnapshotFile file)
    {
        string database = await _server.CreateDatabaseAsync();
        return new Restored(_server, database, await StartAsync(database, file));
    }

    private Task<SiloGroups> StartAsync(string database, SnapshotFile file) => SiloGroups.StartAsync(
        new SiloGroupOptions
        {
            Database = new PeerDatabaseOptions { ConnectionString = _server.ConnectionString(database) },
            SiloId = "restored",
            Replica = Replica,
            Restore = new ClusterRestore { Files = [file], HoldBack = HoldBack },
        },
        TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);

    private sealed record Restored(PostgresServer Server, string Database, SiloGroups Silo) : IAsyncDisposable
    {
        public SiloGroup Group => Silo[0];

        public async ValueTask DisposeAsync()
        {
            await Silo.DisposeAsync();
            await Server.DropDatabaseAsync(Database);
        }
    }
}
