using System.Collections.Concurrent;
using Coordinator.Grains.Orleans;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Grains;
using Coordinator.Tests.Postgres;
using Coordinator.Tests.Storage;
using Npgsql;

namespace Coordinator.Tests.Orleans;

/// <summary>The table beside the grain directory in which silos note how far their peers' storage has come.</summary>
public sealed class WitnessTableTests(PostgresServer server) : StorageTest(server)
{
    private static readonly Guid StorageId = Guid.NewGuid();

    /// <summary>Of another server than the table's.</summary>
    private static readonly DatabaseMoment Elsewhere = new(-5, 3, 1L << 40);

    private readonly ConcurrentDictionary<int, int> _events = [];

    [Fact]
    public async Task What_was_written_last_is_read_until_it_is_deleted()
    {
        await using WitnessTable table = await OpenTableAsync();
        IWitness row = table.Of(Key(1), StorageId);
        Assert.Null(await ReadAsync(row));
        foreach (StorageWitness witness in (StorageWitness[])[Known(7, 9), Known(7, 10), Known(8, 10), Known(9, 12, "It went\nback.")])
        {
            Assert.Equal(witness.Mark, await WriteAsync(row, witness));
            Assert.Equal(witness, await ReadAsync(row));
        }
        Assert.Empty(_events);
        await row.DeleteAsync(CancellationToken.None);
        await row.DeleteAsync(CancellationToken.None);
        Assert.Null(await ReadAsync(row));
    }

    [Fact]
    public async Task Whoever_writes_late_changes_nothing()
    {
        await using WitnessTable silo = await OpenTableAsync();
        await using WitnessTable believedDead = await OpenTableAsync();
        IWitness row = silo.Of(Key(1), StorageId), late = believedDead.Of(Key(1), StorageId);
        await late.PrepareAsync(Elsewhere, CancellationToken.None);
        Assert.Equal(Known(0, 0), await ReadAsync(row));
        await WriteAsync(row, Known(9, 5));
        // The last two are of a database that went back.
        foreach (StorageWitness earlier in (StorageWitness[])[Known(8, 5), Known(9, 4), Known(8, 100), Known(100, 4)])
            Assert.Equal(Known(9, 5).Mark, await WriteAsync(late, earlier));
        await late.PrepareAsync(Elsewhere, CancellationToken.None);
        Assert.Equal(Known(9, 5), await ReadAsync(row));
        Assert.Equal(Known(10, 5).Mark, await WriteAsync(late, Known(10, 5)));
        Assert.Equal(Known(10, 5), await ReadAsync(row));
    }

    [Fact]
    public async Task A_verdict_stays_whoever_writes_after_it_and_counts_however_late_it_comes()
    {
        await using WitnessTable table = await OpenTableAsync();
        IWitness row = table.Of(Key(1), StorageId), other = table.Of(Key(2), StorageId);
        await WriteAsync(row, Known(9, 5, "first"));
        await WriteAsync(row, Known(10, 5));
        await WriteAsync(row, Known(11, 5, "second"));
        Assert.Equal(Known(11, 5, "first"), await ReadAsync(row));

        await WriteAsync(other, Known(10, 9));
        await WriteAsync(other, Known(9, 9, "late"));
        Assert.Equal(Known(10, 9, "late"), await ReadAsync(other));
    }

    [Fact]
    public async Task What_is_known_of_a_peers_earlier_storage_and_of_other_groups_is_apart()
    {
        await using WitnessTable table = await OpenTableAsync();
        var former = Guid.NewGuid();
        PeerKey elsewhere = new(2, new PeerId(1));
        await WriteAsync(table.Of(Key(1), former), Of(former, 90, 1, "old"));
        await WriteAsync(table.Of(elsewhere, StorageId), Known(50, 1));
        await WriteAsync(table.Of(Key(1), StorageId), Known(1, 1));
        Assert.Equal(Known(1, 1), await ReadAsync(table.Of(Key(1), StorageId)));
        await table.Of(Key(1), StorageId).DeleteAsync(CancellationToken.None);
        Assert.Equal(Of(former, 90, 1, "old"), await ReadAsync(table.Of(Key(1), former)));
        Assert.Equal(Known(50, 1), await ReadAsync(table.Of(elsewhere, StorageId)));
    }

    [Fact]
    public async Task Every_changed_column_is_noticed_and_the_row_makes_way_for_the_next_one()
    {
        await using WitnessTable table = await OpenTableAsync();
        IWitness row = table.Of(Key(1), StorageId);
        foreach (string change in (string[])[
            "epoch = 1::bigint << 62", "write_seq = write_seq - 1", "system_id = 0", "timeline = timeline + 1", "lsn = lsn - 1",
            "checksum = checksum # 1", "verdict = ''", "verdict = 'changed'", "verdict_checksum = verdict_checksum # 1"])
        {
            await WriteAsync(row, Known(9, 5, "why"));
            await ExecuteAsync($"UPDATE coordinator_orleans.peer_witness SET {change}");
            await Assert.ThrowsAsync<CorruptRowException>(() => ReadAsync(row));
            Assert.Null(await ReadAsync(row));
        }
        await WriteAsync(row, Known(1, 1));
        Assert.Equal(Known(1, 1), await ReadAsync(row));
    }

    [Fact]
    public async Task Many_peers_share_statements_and_two_connections()
    {
        await using WitnessTable table = await OpenTableAsync();
        await using NpgsqlConnection locker = await Server.ConnectAsync(Database);
        await using NpgsqlTransaction locked = await locker.BeginTransactionAsync();
        await using (var take = new NpgsqlCommand("LOCK TABLE coordinator_orleans.peer_witness", locker))
            await take.ExecuteNonQueryAsync();
        IWitness[] rows = [.. Enumerable.Range(0, 500).Select(group => table.Of(new PeerKey(group, new PeerId(1)), StorageId))];
        Task[] writes = [.. rows.Select(row => WriteAsync(row, Known(1, 1)))];
        Task[] reads = [.. rows.Select(ReadAsync)];
        const string Taken = "FROM pg_stat_activity WHERE application_name = 'coordinator' AND datname = current_database()";
        await UntilAsync($"SELECT count(*) = 2 {Taken} AND wait_event_type = 'Lock'");
        Assert.Equal(2, await QueryAsync<long>($"SELECT count(*) {Taken}"));
        await locked.RollbackAsync();
        await Task.WhenAll([.. writes, .. reads]).WaitAsync(Patience);
        Assert.Equal(500, await QueryAsync<long>("SELECT count(*) FROM coordinator_orleans.peer_witness"));
        Assert.InRange(await QueryAsync<long>("SELECT count(DISTINCT xmin::text) FROM coordinator_orleans.peer_witness"), 1, 3);
    }

    [Fact]
    public async Task One_peer_twice_in_what_waits_is_written_twice()
    {
        await using WitnessTable table = await OpenTableAsync();
        await Task.WhenAll(Enumerable.Range(1, 20).Select(write => WriteAsync(table.Of(Key(1), StorageId), Known(1, write)))).WaitAsync(Patience);
        Assert.Equal(Known(1, 20), await ReadAsync(table.Of(Key(1), StorageId)));
    }

    [Fact]
    public async Task A_database_that_is_away_is_waited_for_and_no_longer_than_the_peer_is_there()
    {
        await using WitnessTable table = await OpenTableAsync();
        IWitness row = table.Of(Key(1), StorageId), given = table.Of(Key(2), StorageId);
        await WriteAsync(row, Known(1, 1));
        await Server.StopAsync();
        using var leaving = new CancellationTokenSource();
        Task write = WriteAsync(row, Known(2, 2));
        Task leavesWriting = given.WriteAsync(Known(1, 1), leaving.Token), leavesReading = given.ReadAsync(leaving.Token);
        await UntilAsync(() => Task.FromResult(_events.ContainsKey(3118)), "it is told");
        Assert.False(write.IsCompleted || leavesWriting.IsCompleted || leavesReading.IsCompleted);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leavesWriting.WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leavesReading.WaitAsync(Patience));
        await Server.StartAsync();
        await write.WaitAsync(Patience);
        Assert.Equal(Known(2, 2), await ReadAsync(row));
    }

    [Fact]
    public async Task For_storage_on_its_own_server_the_table_vouches_in_no_case_and_accuses_all_the_same()
    {
        await using WitnessTable table = await OpenTableAsync();
        IWitness row = table.Of(Key(1), StorageId);
        DatabaseMoment here = await ServerHistory.ReadMomentAsync(Admin);
        await WriteAsync(row, Known(9, 5, "why") with { Moment = here });
        StorageWitness stored = (await ReadAsync(row))!;
        Assert.Equal(Known(9, 5, "why") with { Moment = default }, stored);
        Assert.False(here.Continues(stored.Moment));
        Assert.True(_events.ContainsKey(3117));
        // Nor when the database has come here later.
        var moved = new StorageWitness(new StorageMark(StorageId, 10, 1), Elsewhere with { System = here.System });
        await WitnessRows.WriteAsync(Admin, [(Key(2), moved)]);
        Assert.Equal(moved with { Moment = default }, await ReadAsync(table.Of(Key(2), StorageId)));
    }

    private static StorageWitness Known(long epoch, long writeSeq, string? verdict = null) => Of(StorageId, epoch, writeSeq, verdict);

    private static StorageWitness Of(Guid storageId, long epoch, long writeSeq, string? verdict = null) =>
        new(new StorageMark(storageId, epoch, writeSeq), Elsewhere, verdict);

    private static Task<StorageWitness?> ReadAsync(IWitness row) => row.ReadAsync(CancellationToken.None).WaitAsync(Patience);

    private static Task<StorageMark> WriteAsync(IWitness row, StorageWitness witness) =>
        row.WriteAsync(witness, CancellationToken.None).WaitAsync(Patience);

    private async Task<WitnessTable> OpenTableAsync()
    {
        string directory = Server.ConnectionString(Database);
        await OrleansTables.InstallAsync(directory, CancellationToken.None);
        return new WitnessTable(directory, TimeProvider.System, new EventLog(_events));
    }
}
