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
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Grains;

/// <summary>
/// Rows that somebody has changed by hand, with checksums that match: no checksum tells, only the comparison of the
/// replicas' states (rule 9).
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class AlteredRowTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly PeerKey AlteredPeer = new(0, new PeerId(3));

    private string _database = "";

    public async Task InitializeAsync() => _database = await server.CreateDatabaseAsync();

    public Task DisposeAsync() => server.DropDatabaseAsync(_database);

    [Fact]
    public Task A_peer_that_replays_an_altered_entry_quarantines_itself_and_the_others_go_on() =>
        RunAsync(new ReplicaOptions(), AlterEntryAsync);

    [Fact]
    public Task A_peer_that_loads_an_altered_snapshot_quarantines_itself_and_the_others_go_on() =>
        RunAsync(new ReplicaOptions { SnapshotEntries = 30, TailEntries = 0 }, AlterSnapshotAsync);

    private async Task RunAsync(ReplicaOptions options, Func<NpgsqlConnection, Task> alterAsync)
    {
        await using (EmbeddedGroup group = await StartAsync(options))
        {
            for (int i = 0; i < 50; i++)
                await PutAsync(group, $"key-{i}");
            await WaitAsync(() => group.Peers.All(peer =>
                IsCaughtUp(group, peer) && peer.Status.LastIndex - peer.Status.SnapshotIndex <= options.SnapshotEntries));
        }
        await using (NpgsqlConnection connection = await server.ConnectAsync(_database))
            await alterAsync(connection);

        await using EmbeddedGroup again = await StartAsync(options);
        PeerLoop altered = again.Peers.Single(peer => peer.Peer == AlteredPeer.Peer);
        using var patience = new CancellationTokenSource(Patience);
        while (altered.Status.Service is ServiceState.Running or ServiceState.Suspended)
        {
            patience.Token.ThrowIfCancellationRequested();
            await TryPutAsync(again, "more");
        }

        Assert.Equal(ServiceState.Quarantined, altered.Status.Service);
        Assert.Contains("Replace this peer", altered.Status.Detail, StringComparison.Ordinal);
        await PutAsync(again, "after");
        Assert.All(
            again.Peers.Where(peer => peer.Peer.Value < AlteredPeer.Peer.Value),
            peer => Assert.Equal(ServiceState.Running, peer.Status.Service));
        QueryAnswer read = await again.Gateway.QueryAsync(
            new Query { GetConfig = new GetConfig { Key = "key-7" } }, CancellationToken.None);
        Assert.Equal("key-7", read.Entries[0].Value.ToStringUtf8());
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

    private Task<EmbeddedGroup> StartAsync(ReplicaOptions options) => EmbeddedGroup.StartAsync(
        new EmbeddedGroupOptions
        {
            Database = new PeerDatabaseOptions { ConnectionString = server.ConnectionString(_database) },
            SiloId = "test",
            Replica = options with { TickUs = 20_000, LazyCommitUs = 20_000, CheckEntries = 20, CheckIntervalUs = 50_000 },
        },
        TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);

    private static bool IsCaughtUp(EmbeddedGroup group, PeerLoop peer) =>
        peer.Status.AppliedIndex == group.Peers.Max(other => other.Status.LastIndex);

    private static async Task PutAsync(EmbeddedGroup group, string key)
    {
        using var patience = new CancellationTokenSource(Patience);
        while ((await TryPutAsync(group, key)).Result.Error != ErrorCode.Ok)
            patience.Token.ThrowIfCancellationRequested();
    }

    private static Task<CommandAnswer> TryPutAsync(EmbeddedGroup group, string key) => group.Gateway.ExecuteAsync(
        new Command { PutConfig = new PutConfig { Key = key, Value = ByteString.CopyFromUtf8(key) } }, CancellationToken.None);

    private static async Task WaitAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(10, patience.Token);
    }
}
