using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage;

/// <summary>
/// Rules 2 to 4: what a second activation, a lock and other peers of the same statement do to a write.
/// </summary>
public sealed class FenceTests(PostgresServer server) : StorageTest(server)
{
    private const string ActivationWaits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'UPDATE coordinator.peer%')";

    [Fact]
    public async Task A_write_sent_after_another_activation_is_fenced()
    {
        PeerDatabase first = await OpenBootstrappedAsync();
        PeerDatabase second = await OpenAsync();
        LoadedPeer old = await ActivateAsync(first);
        LoadedPeer peer = await ActivateAsync(second);

        Assert.Equal(WriteOutcome.Fenced, await first.WriteAsync(Write(old, 1, null, Entry(11))));
        Assert.Equal(WriteOutcome.Committed, await second.WriteAsync(Write(peer, 1, null, Entry(11, 1, "mine"))));

        Assert.Equal(new ActivationResult.Superseded(2), await ReactivateAsync(first, old));
        Assert.Equal(["11:1:mine"], Texts(await ActivateAsync(second)));
    }

    [Fact]
    public async Task A_take_over_between_a_writes_snapshot_and_its_row_lock_fences_it()
    {
        PeerDatabase first = await OpenBootstrappedAsync();
        PeerDatabase second = await OpenAsync();
        LoadedPeer old = await ActivateAsync(first);
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.BeforeRowLock);
        Task<WriteOutcome> write = first.WriteAsync(Write(old, 1, null, Entry(11)));
        await UntilAsync(PausedWrites.OneIsPaused);

        LoadedPeer peer = await ActivateAsync(second);
        await paused.ReleaseAsync();

        Assert.Equal(WriteOutcome.Fenced, await write);
        Assert.Empty(peer.Entries);
        Assert.Empty((await ActivateAsync(second)).Entries);
    }

    [Theory]
    [InlineData(WriteStep.AfterRowLock)]
    [InlineData(WriteStep.AtCommit)]
    public async Task A_take_over_while_a_write_holds_the_row_waits_for_it_and_loads_it(WriteStep step)
    {
        PeerDatabase first = await OpenBootstrappedAsync();
        PeerDatabase second = await OpenAsync();
        LoadedPeer old = await ActivateAsync(first);
        PausedWrites paused = await PausedWrites.AtAsync(Admin, step);
        Task<WriteOutcome> write = first.WriteAsync(Write(old, 1, null, Entry(11)));
        await UntilAsync(PausedWrites.OneIsPaused);

        Task<LoadedPeer> activation = ActivateAsync(second);
        await UntilAsync(ActivationWaits);
        await paused.ReleaseAsync();

        Assert.Equal(WriteOutcome.Committed, await write);
        Assert.Equal(["11:1:x"], Texts(await activation));
        Assert.Equal(WriteOutcome.Fenced, await first.WriteAsync(Write(old, 2, null, Entry(12))));
    }

    [Fact]
    public async Task Of_several_peers_in_one_statement_only_the_fenced_the_busy_and_the_missing_fail()
    {
        PeerDatabase database = await OpenAsync();
        await database.BootstrapAsync(
            Guid.NewGuid(), 1, [.. Enumerable.Range(1, 6).Select(i => NewPeer(i))], CancellationToken.None);
        var peers = new List<LoadedPeer>();
        for (int i = 1; i <= 6; i++)
        {
            peers.Add(await ActivateAsync(database, i));
        }

        await ActivateAsync(database, 3);
        await ExecuteAsync("DELETE FROM coordinator.peer WHERE peer_id = 5");
        await using var locker = await Server.ConnectAsync(Database);
        await using var transaction = await locker.BeginTransactionAsync();
        await using var command = locker.CreateCommand();
        command.CommandText = "SELECT FROM coordinator.peer WHERE peer_id = 4 FOR UPDATE";
        await command.ExecuteNonQueryAsync();

        // The first one's statement waits, so that the others gather behind it.
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AfterRowLock);
        Task<WriteOutcome>[] writes = [database.WriteAsync(Write(peers[0], 1, null, Entry(11)))];
        await UntilAsync(PausedWrites.OneIsPaused);
        writes = [.. writes, .. peers[1..].Select(p => database.WriteAsync(Write(p, 1, null, Entry(11))))];
        await paused.ReleaseAsync();

        Assert.Equal(
            [
                WriteOutcome.Committed, WriteOutcome.Committed, WriteOutcome.Fenced, WriteOutcome.Busy,
                WriteOutcome.Missing, WriteOutcome.Committed,
            ],
            await Task.WhenAll(writes));
        Assert.Equal(
            "1 2 6", await QueryAsync<string>("SELECT string_agg(peer_id::text, ' ' ORDER BY peer_id) FROM coordinator.log"));
        Assert.Equal(
            1L, await QueryAsync<long>("SELECT count(DISTINCT xmin::text) FROM coordinator.log WHERE peer_id IN (2, 6)"));
    }

    [Fact]
    public async Task What_is_over_a_statements_bounds_goes_into_the_next()
    {
        PeerDatabase database = await OpenBootstrappedAsync(Options() with { StatementRowsMax = 2 });
        LoadedPeer[] peers = [await ActivateAsync(database, 1), await ActivateAsync(database, 2), await ActivateAsync(database, 3)];
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AfterRowLock);
        var writes = new List<Task<WriteOutcome>> { database.WriteAsync(Write(peers[0], 1, null, Entry(11))) };
        await UntilAsync(PausedWrites.OneIsPaused);
        writes.Add(database.WriteAsync(Write(peers[1], 1, null, Entry(11), Entry(12))));
        writes.Add(database.WriteAsync(Write(peers[2], 1, null, Entry(11), Entry(12), Entry(13))));
        await paused.ReleaseAsync();

        Assert.All(await Task.WhenAll(writes), outcome => Assert.Equal(WriteOutcome.Committed, outcome));
        Assert.Equal(3L, await QueryAsync<long>("SELECT count(DISTINCT xmin::text) FROM coordinator.log"));
    }

    [Fact]
    public async Task A_second_write_of_a_peer_in_flight_is_misuse()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AfterRowLock);
        Task<WriteOutcome> write = database.WriteAsync(Write(peer, 1, null, Entry(11)));
        await UntilAsync(PausedWrites.OneIsPaused);

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => database.WriteAsync(Write(peer, 2, null, Entry(12))));

        await paused.ReleaseAsync();
        Assert.Equal(WriteOutcome.Committed, await write);
    }

    [Fact]
    public async Task A_write_that_the_server_rolls_back_at_its_commit_has_failed_although_it_was_answered()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await RaiseAtCommitAsync("EXCEPTION");

        Assert.Equal(WriteOutcome.Failed, await database.WriteAsync(Write(peer, 1, null, Entry(11))));

        LoadedPeer again = Activated(await ReactivateAsync(database, peer));
        Assert.Empty(again.Entries);
    }

    [Fact]
    public async Task A_commit_with_a_warning_is_unknown()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await RaiseAtCommitAsync("WARNING");

        Assert.Equal(WriteOutcome.Unknown, await database.WriteAsync(Write(peer, 1, null, Entry(11))));

        LoadedPeer again = Activated(await ReactivateAsync(database, peer));
        Assert.Equal(["11:1:x"], Texts(again));
    }

    private Task RaiseAtCommitAsync(string level) =>
        ExecuteAsync(
            $"""
            CREATE FUNCTION public.say() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE {level} 'said at the commit'; RETURN NEW; END $$;
            CREATE CONSTRAINT TRIGGER say AFTER INSERT ON coordinator.log DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION public.say()
            """);
}
