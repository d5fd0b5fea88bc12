using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage;

/// <summary>Opening, migrating and bootstrapping a database, and what is refused then.</summary>
public sealed class OpeningTests(PostgresServer server) : StorageTest(server)
{
    [Fact]
    public async Task A_cluster_is_bootstrapped_once_and_read_back()
    {
        PeerDatabase database = await OpenAsync();
        Assert.Null(await database.ReadClusterAsync(CancellationToken.None));
        var id = Guid.NewGuid();
        byte[] data = new byte[SnapshotPointer.ChunkBytes + 1];
        new Random(2).NextBytes(data);
        NewPeer large = NewPeer(2) with { SnapshotData = data };

        await database.BootstrapAsync(id, 4, [large, NewPeer(1)], CancellationToken.None);

        StoredCluster cluster = (await database.ReadClusterAsync(CancellationToken.None))!;
        Assert.Equal((id, 4), (cluster.ClusterId, cluster.Groups));
        Assert.Equal([Key(1), Key(2)], cluster.Peers.Select(p => p.Key));
        Assert.Equal(large.StorageId, cluster.Peers[1].StorageId);
        LoadedPeer loaded = await ActivateAsync(database, 2);
        Assert.Equal(data, loaded.Snapshot.Data.ToArray());
        Assert.Equal((1, 0, Hard()), (loaded.Epoch, loaded.WriteSeq, loaded.HardState));
        Assert.Equal((SnapshotIndex, new Term(1)), (loaded.Snapshot.Pointer.Index, loaded.Snapshot.Pointer.Term));
    }

    [Theory]
    [InlineData("SELECT", "cluster ")]
    [InlineData("DELETE FROM coordinator.cluster", "peer 1/1")]
    public async Task A_second_bootstrap_is_refused_and_changes_nothing(string before, string found)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await ExecuteAsync(before);

        AlreadyBootstrappedException e = await Assert.ThrowsAsync<AlreadyBootstrappedException>(
            () => database.BootstrapAsync(Guid.NewGuid(), 9, [NewPeer(7)], CancellationToken.None));

        Assert.Contains(found, e.Message, StringComparison.Ordinal);
        Assert.Equal(3L, await QueryAsync<long>("SELECT count(*) FROM coordinator.peer"));
        Assert.Equal(0L, await QueryAsync<long>("SELECT count(*) FROM coordinator.cluster WHERE groups = 9"));
    }

    [Fact]
    public async Task Of_two_bootstraps_at_once_one_is_refused()
    {
        PeerDatabase[] databases = [await OpenAsync(), await OpenAsync()];

        Exception?[] failures = await Task.WhenAll(databases.Select(database => Record.ExceptionAsync(
            () => database.BootstrapAsync(Guid.NewGuid(), 1, [NewPeer(1)], CancellationToken.None))));

        Assert.IsType<AlreadyBootstrappedException>(Assert.Single(failures, e => e is not null));
        Assert.Equal(1L, await QueryAsync<long>("SELECT count(*) FROM coordinator.peer"));
    }

    [Fact]
    public async Task Starters_that_migrate_at_once_share_one_schema()
    {
        PeerDatabase[] databases = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => OpenAsync()));

        Assert.Equal(6, databases.Length);
        Assert.Equal(Schema.Version, (int)await QueryAsync<long>("SELECT count(*) FROM coordinator.schema_version"));
        await databases[0].BootstrapAsync(Guid.NewGuid(), 1, [NewPeer(1)], CancellationToken.None);
        await ActivateAsync(databases[5]);
    }

    [Fact]
    public async Task A_newer_schema_is_refused_by_name()
    {
        await OpenAsync();
        await ExecuteAsync("INSERT INTO coordinator.schema_version (version) VALUES (1000)");

        SchemaTooNewException e = await Assert.ThrowsAsync<SchemaTooNewException>(() => OpenAsync());
        Assert.Contains("1000", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_starts_late_is_waited_for()
    {
        await Server.StopAsync();
        Task<PeerDatabase> opening = OpenAsync();
        Assert.False(opening.IsCompleted);

        await Server.StartAsync();

        await (await opening).BootstrapAsync(Guid.NewGuid(), 1, [NewPeer(1)], CancellationToken.None);
    }

    [Fact]
    public async Task A_server_that_never_starts_is_given_up_in_time()
    {
        PeerDatabaseOptions options = Options() with
        {
            ConnectionString = Server.ConnectionString(Database, host: "/tmp/no-such-folder"),
            OpenTimeout = TimeSpan.FromMilliseconds(200),
        };

        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => OpenAsync(options));
    }

    [Theory]
    [InlineData("Host=a,b;Database=x", "several hosts")]
    [InlineData("Database=x", "no Host")]
    [InlineData("Host=a;Nonsense=1", "cannot be read")]
    [InlineData("Host=a;Port=many", "cannot be read")]
    public async Task A_connection_string_that_cannot_be_used_is_refused_by_name(string text, string why)
    {
        DatabaseRefusedException e = await Assert.ThrowsAsync<DatabaseRefusedException>(
            () => OpenAsync(Options() with { ConnectionString = text }));
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Password=wrong", "password authentication failed")]
    [InlineData("Database=absent", "does not exist")]
    public async Task A_refused_login_is_told_at_once(string setting, string why)
    {
        DatabaseRefusedException e = await Assert.ThrowsAsync<DatabaseRefusedException>(
            () => OpenAsync(Options() with { ConnectionString = $"{Server.ConnectionString(Database)};{setting}" }));
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sessions_own_settings_win_over_those_of_role_database_and_caller()
    {
        await ExecuteAsync(
            $"""
            ALTER DATABASE {Database} SET synchronous_commit = off;
            ALTER DATABASE {Database} SET statement_timeout = '1s';
            ALTER DATABASE {Database} SET default_transaction_isolation = 'serializable';
            """);
        PeerDatabase database = await OpenBootstrappedAsync(Options() with
        {
            ConnectionString = Server.ConnectionString(Database) + ";Options=-c synchronous_commit=local;Command Timeout=1",
        });

        LoadedPeer peer = await ActivateAsync(database);
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 1, null, Entry(11))));
    }

    [Fact]
    public async Task Options_out_of_their_range_are_refused()
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => OpenAsync(Options() with { WriteTimeout = TimeSpan.Zero }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => OpenAsync(Options() with { ReconnectDelayMin = TimeSpan.FromMinutes(1) }));
    }
}
