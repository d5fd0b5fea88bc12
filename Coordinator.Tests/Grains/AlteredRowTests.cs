using System.Buffers;
using Coordinator.Contracts;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Faults;
using Coordinator.Tests.Postgres;
using Google.Protobuf;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>
/// Rows that somebody has changed by hand, with checksums that match: no checksum tells, only the comparison of the
/// replicas' states (rule 9).
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class AlteredRowTests(PostgresServer server) : EmbeddedGroupScenario(server)
{
    private static readonly PeerKey AlteredPeer = new(0, new PeerId(3));

    [Fact]
    public Task A_peer_that_replays_an_altered_entry_quarantines_itself_and_the_others_go_on() =>
        RunAsync(new ReplicaOptions(), AlterEntryAsync);

    [Fact]
    public Task A_peer_that_loads_an_altered_snapshot_quarantines_itself_and_the_others_go_on() =>
        RunAsync(new ReplicaOptions { SnapshotEntries = 30, TailEntries = 0 }, AlterSnapshotAsync);

    private async Task RunAsync(ReplicaOptions options, Func<NpgsqlConnection, Task> alterAsync)
    {
        options = options with { TickUs = 20_000, LazyCommitUs = 20_000, CheckEntries = 20, CheckIntervalUs = 50_000 };
        await StartAgainAsync(options);
        for (int i = 0; i < 50; i++)
            await PutInTheEndAsync($"key-{i}");
        await UntilAsync(() => Group.Peers.All(peer =>
            IsCaughtUp(peer) && peer.Status.LastIndex - peer.Status.SnapshotIndex <= options.SnapshotEntries));
        await Silo.DisposeAsync();
        await using (NpgsqlConnection connection = await ConnectAsync())
            await alterAsync(connection);

        await StartAgainAsync(options);
        PeerLoop altered = Group.Peers.Single(peer => peer.Peer == AlteredPeer.Peer);
        using var patience = new CancellationTokenSource(Patience);
        while (altered.Status.Service is ServiceState.Running or ServiceState.Suspended or ServiceState.Comparing)
        {
            patience.Token.ThrowIfCancellationRequested();
            await TryPutAsync("more");
        }

        Assert.Equal(ServiceState.Quarantined, altered.Status.Service);
        Assert.Contains("Replace this peer", altered.Status.Detail, StringComparison.Ordinal);
        await PutInTheEndAsync("after");
        Assert.All(
            Group.Peers.Where(peer => peer.Peer.Value < AlteredPeer.Peer.Value),
            peer => Assert.Equal(ServiceState.Running, peer.Status.Service));
        Assert.Equal("key-7", (await GetAsync("key-7")).Entries[0].Value.ToStringUtf8());
    }

    private async Task StartAgainAsync(ReplicaOptions options)
    {
        await Silo.DisposeAsync();
        Silo = await StartAsync(options);
    }

    private static async Task AlterEntryAsync(NpgsqlConnection connection)
    {
        Entry altered = default;
        await using (var select = new NpgsqlCommand(
            "SELECT index, term, stamp, data FROM coordinator.log WHERE peer_id = 3 AND type = 0 AND length(data) > 0", connection))
        await using (NpgsqlDataReader rows = await select.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync())
            {
                Command command = Command.Parser.ParseFrom(rows.GetFieldValue<byte[]>(3));
                if (command.PutConfig?.Key != "key-7")
                    continue;
                command.PutConfig.Value = ByteString.CopyFromUtf8("key-8");
                altered = new Entry(
                    new Term(rows.GetInt64(1)), rows.GetInt64(0), EntryType.Normal, command.ToByteArray(), rows.GetInt64(2));
            }
        }
        await using var update = new NpgsqlCommand(
            "UPDATE coordinator.log SET data = $1, checksum = $2 WHERE peer_id = 3 AND index = $3", connection)
        {
            Parameters =
            {
                new() { Value = altered.Data.ToArray() },
                new() { Value = RowChecksums.Entry(AlteredPeer, altered) },
                new() { Value = altered.Index },
            },
        };
        Assert.Equal(1, await update.ExecuteNonQueryAsync());
    }

    private static async Task AlterSnapshotAsync(NpgsqlConnection connection)
    {
        long epoch;
        long id;
        byte[] data;
        await using (var select = new NpgsqlCommand(
            """
            SELECT c.epoch, c.snapshot_id, c.data FROM coordinator.snapshot_chunk c
            JOIN coordinator.peer p USING (group_id, peer_id)
            WHERE peer_id = 3 AND c.epoch = p.snapshot_epoch AND c.snapshot_id = p.snapshot_id AND p.snapshot_chunks = 1
            """,
            connection))
        await using (NpgsqlDataReader rows = await select.ExecuteReaderAsync())
        {
            Assert.True(await rows.ReadAsync());
            (epoch, id, data) = (rows.GetInt64(0), rows.GetInt64(1), rows.GetFieldValue<byte[]>(2));
        }
        var state = CoordinationState.ReadSnapshot(data);
        AlteredRecord.Put(state, "key-7", ByteString.CopyFromUtf8("key-8"));
        var altered = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(altered);
        await using var update = new NpgsqlCommand(
            "UPDATE coordinator.snapshot_chunk SET data = $1, checksum = $2 WHERE peer_id = 3 AND epoch = $3 AND snapshot_id = $4",
            connection)
        {
            Parameters =
            {
                new() { Value = altered.WrittenSpan.ToArray() },
                new() { Value = RowChecksums.Chunk(AlteredPeer, epoch, id, 0, altered.WrittenSpan) },
                new() { Value = epoch },
                new() { Value = id },
            },
        };
        Assert.Equal(1, await update.ExecuteNonQueryAsync());
    }

    private bool IsCaughtUp(PeerLoop peer) => peer.Status.AppliedIndex == Group.Peers.Max(other => other.Status.LastIndex);

    private async Task PutInTheEndAsync(string key)
    {
        using var patience = new CancellationTokenSource(Patience);
        while ((await TryPutAsync(key)).Result.Error != ErrorCode.Ok)
            patience.Token.ThrowIfCancellationRequested();
    }
}
