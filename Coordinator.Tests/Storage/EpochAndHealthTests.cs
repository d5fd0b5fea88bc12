using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;

namespace Coordinator.Tests.Storage;

/// <summary>Rule 6's shared read, and rule 7's checks.</summary>
public sealed class EpochAndHealthTests(PostgresServer server) : StorageTest(server)
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task One_reading_holds_the_epochs_of_all_peers()
    {
        PeerDatabase database = await OpenBootstrappedAsync();
        await ActivateAsync(database, 2);
        await ActivateAsync(database, 2);
        await ActivateAsync(database, 3);

        EpochReading reading = (await database.ReadEpochsAsync())!;

        Assert.Equal([0, 2, 1], Enumerable.Range(1, 3).Select(peer => reading.EpochOf(Key(peer))));
        Assert.Null(reading.EpochOf(Key(4)));
    }

    [Fact]
    public async Task A_reading_that_began_before_the_question_does_not_answer_it()
    {
        PostgresProxy proxy = StartProxy();
        PeerDatabase database = await OpenBootstrappedAsync(Options(proxy.Port));
        await ActivateAsync(database);
        await database.ReadEpochsAsync();
        long answered = proxy.AnsweredBytes;

        // The first question's SELECT has been executed, its answer is on its way, when another activation takes over.
        proxy.HoldAnswers();
        Task<EpochReading?> early = database.ReadEpochsAsync();
        await UntilAsync(() => Task.FromResult(proxy.AnsweredBytes > answered), "the first answer at the proxy");
        await ActivateAsync(await OpenAsync());
        Task<EpochReading?>[] late = [database.ReadEpochsAsync(), database.ReadEpochsAsync()];
        proxy.Release();

        Assert.Equal(1, (await early)!.EpochOf(Key(1)));
        Assert.Equal(2, (await late[0])!.EpochOf(Key(1)));
        Assert.Same(await late[0], await late[1]);
    }

    [Fact]
    public async Task A_lost_connection_gives_no_reading_and_the_next_question_a_new_one()
    {
        PostgresProxy proxy = StartProxy();
        PeerDatabase database = await OpenBootstrappedAsync(Options(proxy.Port));
        await database.ReadEpochsAsync();
        proxy.HoldAnswers();
        Task<EpochReading?> reading = database.ReadEpochsAsync();
        proxy.CutClients();

        Assert.Null(await reading);
        Assert.NotNull(await database.ReadEpochsAsync());
    }

    [Fact]
    public async Task A_setting_made_unsafe_stops_writes_until_it_is_safe_again()
    {
        PeerDatabase database = await OpenBootstrappedAsync(Options() with { CheckInterval = Often });
        LoadedPeer peer = await ActivateAsync(database);
        try
        {
            await ExecuteAsync("ALTER SYSTEM SET full_page_writes = off");
            await ExecuteAsync("SELECT pg_reload_conf()");
            await UntilAsync(() => Task.FromResult(database.Health.Refusals.Count > 0), "the refusal");

            Assert.Contains("full_page_writes", database.Health.Refusals[0], StringComparison.Ordinal);
            Assert.Equal(WriteOutcome.Failed, await database.WriteAsync(Write(peer, 1, null, Entry(11))));
            Assert.IsType<ActivationResult.Unavailable>(await ReactivateAsync(database, peer));
            Assert.Null(await database.ReadEpochsAsync());
            await Assert.ThrowsAsync<DatabaseRefusedException>(() => OpenAsync());
        }
        finally
        {
            await ExecuteAsync("ALTER SYSTEM RESET full_page_writes");
            await ExecuteAsync("SELECT pg_reload_conf()");
        }

        await UntilAsync(() => Task.FromResult(database.Health.Refusals.Count == 0), "the acceptance");
        Assert.Equal(WriteOutcome.Committed, await database.WriteAsync(Write(peer, 1, null, Entry(11))));
    }

    [Fact]
    public async Task A_server_without_fsync_is_refused()
    {
        await Server.StopAsync();
        await Server.StartAsync("fsync=off");
        try
        {
            DatabaseRefusedException e = await Assert.ThrowsAsync<DatabaseRefusedException>(() => OpenAsync());
            Assert.Contains("fsync is off", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            await Server.StopAsync();
            await Server.StartAsync();
        }
    }

    [Fact]
    public async Task An_old_snapshot_in_the_database_raises_an_alarm_while_it_lasts()
    {
        PeerDatabase database = await OpenBootstrappedAsync(
            Options() with { CheckInterval = Often, SnapshotAgeAlarm = TimeSpan.FromMilliseconds(100) });
        var alarms = new System.Collections.Concurrent.ConcurrentQueue<bool>();
        database.HealthChanged += health =>
        {
            // The first check may have something else to tell.
            if (health.SnapshotAlarm || !alarms.IsEmpty)
                alarms.Enqueue(health.SnapshotAlarm);
        };
        await ExecuteAsync("BEGIN ISOLATION LEVEL REPEATABLE READ");
        await ExecuteAsync("SELECT FROM coordinator.peer");

        await UntilAsync(() => Task.FromResult(database.Health.SnapshotAlarm), "the alarm");
        Assert.True(database.Health.OldestSnapshotAge > TimeSpan.FromMilliseconds(100));

        await ExecuteAsync("COMMIT");
        await UntilAsync(() => Task.FromResult(!database.Health.SnapshotAlarm), "the alarm's end");
        await UntilAsync(() => Task.FromResult(alarms.Count >= 2), "both events");
        Assert.Equal([true, false], alarms.Take(2));
    }

    [Fact]
    public void Every_unsafe_setting_is_named()
    {
        var safe = new ServerSettings("on", "on", "on", false, 7, 7, "0", 150000);
        Assert.Empty(safe.Refusals());

        Assert.Contains("PostgreSQL 14", Assert.Single((safe with { ServerVersion = 130012 }).Refusals()), StringComparison.Ordinal);
        Assert.Contains("standby", Assert.Single((safe with { InRecovery = true }).Refusals()), StringComparison.Ordinal);
        Assert.Contains("pooler", Assert.Single((safe with { BackendId = 8 }).Refusals()), StringComparison.Ordinal);
        Assert.Contains("pooler", Assert.Single((safe with { SynchronousCommit = "off" }).Refusals()), StringComparison.Ordinal);
        Assert.Contains("pooler", Assert.Single((safe with { StatementTimeout = "30s" }).Refusals()), StringComparison.Ordinal);
    }
}
