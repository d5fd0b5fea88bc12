using System.Diagnostics;
using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Npgsql;

namespace Coordinator.Tests.Storage;

/// <summary>
/// Rule 4: writes whose outcome nobody told, of both outcomes and of none yet, and how re-activation settles them.
/// </summary>
public sealed class InDoubtTests(PostgresServer server) : StorageTest(server)
{
    private const string WriterIs =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'WITH wanted%'";

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_found_by_reactivation()
    {
        PostgresProxy proxy = StartProxy();
        PeerDatabase database = await OpenBootstrappedAsync(Options(proxy.Port));
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, null, Entry(11)));

        proxy.HoldAnswers();
        Task<WriteOutcome> write = database.WriteAsync(Write(peer, 2, null, Entry(12)));
        await UntilAsync("SELECT write_seq = 2 FROM coordinator.peer WHERE peer_id = 1");
        proxy.CutClients();

        Assert.Equal(WriteOutcome.Unknown, await write);
        LoadedPeer again = await ReactivatedAsync(database, peer, 1);
        Assert.Equal((peer.Epoch + 1, 2), (again.Epoch, again.WriteSeq));
        Assert.Equal(["11:1:x", "12:1:x"], Texts(again));
    }

    [Fact]
    public async Task A_write_whose_backend_is_terminated_before_its_commit_is_unknown_and_found_not_to_have_landed()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AtCommit);
        Task<WriteOutcome> write = database.WriteAsync(Write(peer, 1, null, Entry(11)));
        await UntilAsync(PausedWrites.OneIsPaused);

        await ExecuteAsync($"SELECT pg_terminate_backend(({WriterIs}))");

        Assert.Equal(WriteOutcome.Unknown, await write);
        await paused.ReleaseAsync();
        LoadedPeer again = await ReactivatedAsync(database, peer);
        Assert.Empty(again.Entries);
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(again, 1, null, Entry(11, data: "anew"))));
    }

    [Fact]
    public async Task A_batch_that_the_server_begins_after_the_reactivation_is_fenced()
    {
        PostgresProxy proxy = StartProxy();
        PeerDatabase database = await OpenBootstrappedAsync(Options(proxy.Port) with { WriteTimeout = Short });
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, null, Entry(11)));

        proxy.HoldRequests();
        Assert.Equal(WriteOutcome.Unknown, await database.WriteAsync(Write(peer, 2, null, Entry(12, data: "late"))));
        Assert.Equal(1L, await QueryAsync<long>("SELECT write_seq FROM coordinator.peer WHERE peer_id = 1"));
        LoadedPeer again = await ReactivatedAsync(database, peer, 1);

        // Whoever only looked at the row would have been wrong: the batch is executed now.
        long answered = proxy.AnsweredBytes;
        proxy.Release();
        await UntilAsync(() => Task.FromResult(proxy.AnsweredBytes > answered), "the late batch's answer");

        Assert.Equal(["11:1:x"], Texts(again));
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(again, 1, null, Entry(12, data: "mine"))));
        Assert.Equal(["11:1:x", "12:1:mine"], Texts(await ActivateAsync(database)));
    }

    [Fact]
    public async Task A_stopped_backend_costs_the_watchdogs_time_and_its_late_write_is_fenced()
    {
        PeerDatabase database = await OpenBootstrappedAsync(Options() with { WriteTimeout = Short });
        LoadedPeer peer = await ActivateAsync(database);
        await database.WriteAsync(Write(peer, 1, null, Entry(11)));
        int writer = await QueryAsync<int>(WriterIs);
        PostgresServer.Signal(writer, "STOP");
        LoadedPeer again;
        try
        {
            long started = Stopwatch.GetTimestamp();
            Assert.Equal(WriteOutcome.Unknown, await database.WriteAsync(Write(peer, 2, null, Entry(12, data: "late"))));
            Assert.InRange(Stopwatch.GetElapsedTime(started), Short * 0.9, Patience / 2);

            again = await ReactivatedAsync(database, peer, 1);
            Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(again, 1, null, Entry(12, data: "mine"))));
        }
        finally
        {
            PostgresServer.Signal(writer, "CONT");
        }

        await UntilAsync($"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {writer})");
        Assert.Equal(["11:1:x", "12:1:mine"], Texts(await ActivateAsync(database)));
    }

    [Fact]
    public async Task While_a_stopped_backend_holds_the_row_the_peer_is_unavailable_and_then_goes_on()
    {
        PeerDatabase database = await OpenBootstrappedAsync(
            Options() with { WriteTimeout = Short, CommandTimeout = Short });
        LoadedPeer peer = await ActivateAsync(database);
        PausedWrites paused = await PausedWrites.AtAsync(Admin, WriteStep.AfterRowLock);
        Task<WriteOutcome> write = database.WriteAsync(Write(peer, 1, null, Entry(11)));
        await UntilAsync(PausedWrites.OneIsPaused);
        int writer = await QueryAsync<int>(WriterIs);
        PostgresServer.Signal(writer, "STOP");
        try
        {
            Assert.Equal(WriteOutcome.Unknown, await write);
            Assert.IsType<ActivationResult.Unavailable>(await ReactivateAsync(database, peer));
        }
        finally
        {
            PostgresServer.Signal(writer, "CONT");
        }

        await paused.ReleaseAsync();
        await ReactivatedAsync(database, peer);
    }

    [Fact]
    public async Task A_reactivation_whose_answer_was_lost_is_known_as_its_own()
    {
        PeerDatabase database = await OpenBootstrappedAsync(Options() with { CommandTimeout = Short });
        LoadedPeer peer = await ActivateAsync(database);
        await using (await LockRowAsync())
        {
            Assert.IsType<ActivationResult.Unavailable>(await ReactivateAsync(database, peer));
        }

        // The statement that waited for the row lands although nobody listens any more.
        await UntilAsync("SELECT epoch = 2 FROM coordinator.peer WHERE peer_id = 1");

        Assert.Equal(3, (await ReactivatedAsync(database, peer)).Epoch);
    }

    [Fact]
    public async Task A_reactivation_after_a_lost_answer_and_a_take_over_is_superseded()
    {
        PeerDatabase database = await OpenBootstrappedAsync(Options() with { CommandTimeout = Short });
        LoadedPeer peer = await ActivateAsync(database);
        await using (await LockRowAsync())
        {
            Assert.IsType<ActivationResult.Unavailable>(await ReactivateAsync(database, peer));
        }

        await UntilAsync("SELECT epoch = 2 FROM coordinator.peer WHERE peer_id = 1");
        await ActivateAsync(await OpenAsync());

        Assert.Equal(new ActivationResult.Superseded(3), await ReactivateAsync(database, peer));
    }

    [Fact]
    public async Task A_reactivation_from_an_epoch_that_was_left_is_superseded()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        await ReactivatedAsync(database, peer);

        Assert.Equal(new ActivationResult.Superseded(2), await ReactivateAsync(database, peer));
    }

    [Theory]
    [InlineData("SIGINT", false)]
    [InlineData("SIGKILL", true)]
    public async Task No_acknowledged_write_is_lost_when_the_server_goes_down_under_load(string signal, bool kill)
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        LoadedPeer peer = await ActivateAsync(database);
        var acknowledged = new List<long>();
        Task down = Task.CompletedTask;
        long index = SnapshotIndex;
        WriteOutcome outcome;
        int number = 0;
        do
        {
            index++;
            number++;
            outcome = await database.WriteAsync(Write(peer, number, null, Entry(index)));
            if (outcome == WriteOutcome.Committed)
            {
                acknowledged.Add(index);
            }

            if (number == 20)
            {
                down = kill ? Server.KillAsync() : Server.StopAsync();
            }
        }
        while (outcome == WriteOutcome.Committed);

        await down;
        Assert.True(outcome is WriteOutcome.Unknown or WriteOutcome.Failed, $"{signal}: {outcome}");
        Assert.Equal(WriteOutcome.Failed, await database.WriteAsync(Write(peer, number, null, Entry(index))));
        Assert.IsType<ActivationResult.Unavailable>(await ReactivateAsync(database, peer, acknowledged.Count));
        Assert.Null(await database.ReadEpochsAsync());

        await Server.StartAsync();
        LoadedPeer again = await ReactivatedAsync(database, peer, acknowledged.Count);
        Assert.Equal(acknowledged, again.Entries.Select(e => e.Index).Take(acknowledged.Count));
        Assert.Equal(
            WriteOutcome.Committed, await database.WriteAsync(Write(again, 1, null, Entry(again.Entries[^1].Index + 1))));
    }

    [Fact]
    public async Task A_connection_that_breaks_between_two_commands_is_a_fault_of_the_database_not_of_the_program()
    {
        await using var connections = new DatabaseConnections(Options(), TimeProvider.System);

        Exception? broken = await Record.ExceptionAsync(() => connections.UseAsync(
            async connection =>
            {
                await using var first = new NpgsqlCommand("SELECT pg_terminate_backend(pg_backend_pid())", connection);
                await Assert.ThrowsAsync<PostgresException>(first.ExecuteNonQueryAsync);
                await using var second = new NpgsqlCommand("SELECT 1", connection);
                return await second.ExecuteNonQueryAsync();
            },
            CancellationToken.None));

        Assert.True(DatabaseConnections.IsFault(broken!), $"{broken}");
    }

    /// <summary>Asks again while the database is unavailable, as a peer does.</summary>
    private static async Task<LoadedPeer> ReactivatedAsync(PeerDatabase database, LoadedPeer peer, long? writeSeq = null)
    {
        ActivationResult result = new ActivationResult.Missing();
        await UntilAsync(
            async () =>
            {
                result = await ReactivateAsync(database, peer, writeSeq);
                return result is not ActivationResult.Unavailable;
            },
            "an available database");
        return Activated(result);
    }

    private async Task<IAsyncDisposable> LockRowAsync()
    {
        var locker = await Server.ConnectAsync(Database);
        await using var command = locker.CreateCommand();
        command.CommandText = "BEGIN; SELECT FROM coordinator.peer WHERE peer_id = 1 FOR UPDATE";
        await command.ExecuteNonQueryAsync();
        return locker;
    }
}
