using System.Text;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Coordinator.Tests.Postgres;
using Npgsql;

namespace Coordinator.Tests.Storage.Equivalence;

/// <summary>A real PostgreSQL, through the product's own storage code.</summary>
internal sealed partial class PostgresStorage(
    PostgresServer server, string database, SteeredServer steered, IReadOnlyList<ScriptClient> clients,
    IReadOnlyList<PeerKey> peers) : IScriptedStorage, IAsyncDisposable
{
    private readonly Dictionary<PeerKey, Guid> _storageIds = peers.ToDictionary(key => key, _ => Guid.NewGuid());
    private NpgsqlConnection? _locker;
    private ScriptClient? _late;
    private bool _isDown;

    private int Group => peers[0].Group;

    public async Task BeginAsync(ReadOnlyMemory<byte> blank)
    {
        foreach (PeerKey key in peers)
        {
            await clients[0].ReadyToTakeAsync();
            await clients[0].Database.AddPeerAsync(key, _storageIds[key], blank, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await UnlockAsync();
        if (_isDown)
            await ComeUpAsync();
        _late?.Forget();
        await clients[0].ReadyToTakeAsync();
        foreach (PeerKey key in peers)
            Assert.True(await RemoveAsync(key));
    }

    private Task<bool> RemoveAsync(PeerKey key) => clients[0].Database.RemovePeerAsync(
        key, _storageIds[key], CancellationToken.None);

    public async Task<StepResult> RunAsync(ScriptStep step)
    {
        switch (step)
        {
            case ScriptStep.LocksRow locks:
                await LockAsync(locks.Key);
                return StepResult.Done;
            case ScriptStep.UnlocksRow:
                await UnlockAsync();
                return StepResult.Done;
            case ScriptStep.RemovesRow { IsByHand: true } removes:
                await steered.RemoveRowAsync(removes.Key.Group, removes.Key.Peer.Value);
                return StepResult.Done;
            case ScriptStep.RemovesRow removes:
                await clients[0].ReadyToTakeAsync();
                Assert.True(await RemoveAsync(removes.Key));
                return StepResult.Done;
            case ScriptStep.TakesBackup:
                await steered.BackupAsync(Group);
                return StepResult.Done;
            case ScriptStep.RestoresBackup:
                Break();
                await steered.RestoreAsync(Group);
                return StepResult.Done;
            case ScriptStep.GoesDown goes:
                await GoDownAsync(goes.IsKilled);
                return StepResult.Done;
            case ScriptStep.ComesUp:
                await ComeUpAsync();
                return StepResult.Done;
            default:
                return await AskAsync(step);
        }
    }

    public async Task<IReadOnlyList<string>> ReadAllAsync()
    {
        var lines = new List<string>();
        await using NpgsqlCommand command = await steered.CommandAsync(
            $"""
            SELECT peer_id, epoch, write_seq, term, vote, commit_index, snapshot_epoch, snapshot_id, snapshot_index,
                   snapshot_term, snapshot_chunks, snapshot_bytes, last_index
            FROM coordinator.peer WHERE group_id = {Group};
            SELECT l.peer_id, l.index, l.term, l.type, l.data, l.stamp
            FROM coordinator.log l JOIN coordinator.peer USING (group_id, peer_id) WHERE group_id = {Group};
            SELECT c.peer_id, c.epoch, c.snapshot_id, c.data
            FROM coordinator.snapshot_chunk c JOIN coordinator.peer USING (group_id, peer_id) WHERE group_id = {Group}
            """);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var pointer = new SnapshotPointer(
                reader.GetInt64(6), reader.GetInt64(7), reader.GetInt64(8), new Term(reader.GetInt64(9)),
                reader.GetInt32(10), reader.GetInt64(11));
            var state = new HardState(new Term(reader.GetInt64(3)), new PeerId(reader.GetInt64(4)), reader.GetInt64(5));
            lines.Add($"{StorageWords.Row(Key(reader), reader.GetInt64(1), reader.GetInt64(2), state, pointer)}, last {reader.GetInt64(12)}");
        }
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            var entry = new Entry(
                new Term(reader.GetInt64(2)), reader.GetInt64(1), (EntryType)reader.GetInt16(3),
                reader.GetFieldValue<byte[]>(4), reader.GetInt64(5));
            lines.Add(StorageWords.Stored(Key(reader), entry));
        }
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
            lines.Add(StorageWords.Chunk(Key(reader), reader.GetInt64(1), reader.GetInt64(2), reader.GetFieldValue<byte[]>(3)));
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    private PeerKey Key(NpgsqlDataReader reader) => new(Group, new PeerId(reader.GetInt64(0)));

    private async Task<StepResult> AskAsync(ScriptStep step)
    {
        switch (step)
        {
            case ScriptStep.ReadsEpoch reads:
                return Epoch(await ReadEpochAsync(clients[reads.Client], reads.Key, isAnswered: true));
            case ScriptStep.ReadsEpochUnanswered reads:
                return Epoch(await ReadEpochAsync(clients[reads.Client], reads.Key, isAnswered: false));
            case ScriptStep.WritesChunk writes:
                return await WriteChunkAsync(clients[writes.Client], writes);
            case ScriptStep.DeletesGarbage deletes:
                await ReadyToTakeAsync(clients[deletes.Client]);
                await clients[deletes.Client].Database.DeleteSnapshotsExceptAsync(deletes.Key, deletes.Keep, CancellationToken.None);
                return StepResult.Done;
            case ScriptStep.Takes takes:
                await ReadyToTakeAsync(clients[takes.Taking.Client]);
                return Result(await TakeAsync(takes.Taking));
            case ScriptStep.TakesUnanswered takes:
                await ReadyToTakeAsync(clients[takes.Taking.Client]);
                return Result(await clients[takes.Taking.Client].UnansweredAsync(takes.IsExecuted, () => TakeAsync(takes.Taking)));
            case ScriptStep.TakesLocked takes:
                return await TakeLockedAsync(takes.Taking);
            default:
                return await WriteAsync(step);
        }
    }

    private async Task<(bool IsAvailable, long? Epoch)> ReadEpochAsync(ScriptClient client, PeerKey key, bool isAnswered)
    {
        if (!_isDown)
            await client.ReadyToReadAsync();
        EpochReading? reading = isAnswered
            ? await client.Database.ReadEpochsAsync()
            : await client.UnansweredAsync(isExecuted: true, client.Database.ReadEpochsAsync);
        return (reading is not null, reading?.EpochOf(key));
    }

    private async Task<StepResult> WriteChunkAsync(ScriptClient client, ScriptStep.WritesChunk step)
    {
        await ReadyToTakeAsync(client);
        Task<bool> AskAsync() => client.Database.WriteSnapshotChunkAsync(
            step.Key, step.Epoch, step.Id, 0, Encoding.UTF8.GetBytes(step.Data), CancellationToken.None);
        bool isDurable = step.UnansweredIsExecuted is { } isExecuted
            ? await client.UnansweredAsync(isExecuted, AskAsync)
            : await AskAsync();
        return new StepResult(isDurable ? "durable" : "not known to be durable");
    }

    private Task ReadyToTakeAsync(ScriptClient client) => _isDown ? Task.CompletedTask : client.ReadyToTakeAsync();

    private Task<ActivationResult> TakeAsync(Taking taking)
    {
        ScriptClient client = clients[taking.Client];
        return taking.From is { } from
            ? client.Database.ReactivateAsync(taking.Key, from.Epoch, from.WriteSeq, client.Name, CancellationToken.None)
            : client.Database.ActivateAsync(taking.Key, client.Name, CancellationToken.None);
    }

    private async Task<StepResult> TakeLockedAsync(Taking taking)
    {
        ScriptClient client = clients[taking.Client];
        await client.ReadyToTakeAsync();
        await LockAsync(taking.Key);
        long before = await steered.WaitingAsync(client.Name);
        Task<ActivationResult> taken = TakeAsync(taking);
        await UntilWaitsAsync(client, before, taken);
        await UnlockAsync();
        return Result(await taken);
    }

    /// <summary>Until one more of the client's sessions waits for a lock, or <paramref name="end"/> has come.</summary>
    private Task UntilWaitsAsync(ScriptClient client, long before, Task end) =>
        ScriptClient.UntilAsync(async () => end.IsCompleted || await steered.WaitingAsync(client.Name) > before);

    private static StepResult Epoch((bool IsAvailable, long? Epoch) read) =>
        new(read.IsAvailable ? $"epoch {read.Epoch}" : "unavailable");

    private static StepResult Result(ActivationResult result) => result switch
    {
        ActivationResult.Activated { Peer: var peer } => new StepResult(StorageWords.Of(peer)) { Loaded = peer },
        ActivationResult.Missing => new StepResult("missing"),
        ActivationResult.Superseded { Epoch: var epoch } => new StepResult($"superseded by {epoch}"),
        ActivationResult.WentBack => new StepResult("went back"),
        ActivationResult.Corrupt { Row: var row } => new StepResult($"corrupt: {row}"),
        _ => new StepResult("unavailable"),
    };

    private async Task LockAsync(PeerKey key)
    {
        _locker = await server.ConnectAsync(database);
        await using var command = new NpgsqlCommand(
            $"BEGIN; SELECT FROM coordinator.peer WHERE group_id = {key.Group} AND peer_id = {key.Peer} FOR UPDATE", _locker);
        await command.ExecuteNonQueryAsync();
    }

    private async Task UnlockAsync()
    {
        if (_locker is not { } locker)
            return;
        _locker = null;
        await using (var command = new NpgsqlCommand("ROLLBACK", locker))
            await command.ExecuteNonQueryAsync();
        await locker.DisposeAsync();
    }

    private void Break()
    {
        _late = null;
        foreach (ScriptClient client in clients)
            client.Break();
    }

    private async Task GoDownAsync(bool isKilled)
    {
        _isDown = true;
        Break();
        await (isKilled ? server.KillAsync() : server.StopAsync());
        await steered.DisposeAsync();
        // What is still open finds its server gone: what comes next isn't sent at all.
        foreach (ScriptClient client in clients)
            await client.DropWriterAsync();
    }

    private async Task ComeUpAsync()
    {
        await server.StartAsync();
        _isDown = false;
    }
}
