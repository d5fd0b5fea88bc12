using System.Threading.Channels;
using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The table beside the grain directory in which all silos note how far the storage of their peers has come (rule 4).
/// Thread-safe. Invariants: a row never goes back, whoever writes late (<see cref="WitnessRows"/>); it vouches only for
/// storage on another server, since on its own one both go back together; what waits while one statement is on its way goes
/// into the next, so that a silo takes two connections, however many peers it has.
/// </summary>
internal sealed class WitnessTable : IAsyncDisposable
{
    /// <summary>Rows of one statement.</summary>
    private const int RowsMax = 1024;

    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(2);

    /// <summary>After each statement: a silo whose peers are all busy writes in few large ones, not in many small ones.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly DatabaseConnections _connections;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _reading = new(1);
    private readonly Channel<Noted> _waiting =
        Channel.CreateUnbounded<Noted>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Task _writing;
    private bool _toldOfServer;

    /// <param name="connectionString">Of the grain directory's database, in which the tables are installed.</param>
    /// <exception cref="DatabaseRefusedException">It can't be one.</exception>
    public WitnessTable(string connectionString, TimeProvider time, ILogger log)
    {
        _connections = new DatabaseConnections(new PeerDatabaseOptions { ConnectionString = connectionString }, time);
        _time = time;
        _log = log;
        _writing = Task.Run(WriteAllAsync);
    }

    public IWitness Of(PeerKey key, Guid storageId) => new WitnessRow(this, key, storageId);

    /// <summary>Null: there is no row.</summary>
    /// <exception cref="CorruptRowException">
    /// It is damaged. It is gone then: what is written next has nothing that it could be compared with.
    /// </exception>
    public async Task<StorageWitness?> ReadAsync(PeerKey key, Guid storageId, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(
                async connection =>
                {
                    long server = (await ServerHistory.ReadMomentAsync(connection)).System;
                    StorageWitness? stored = await WitnessRows.ReadAsync(connection, key, storageId);
                    return stored is null ? null : ForServer(server, stored);
                },
                cancellationToken);
        }
        catch (CorruptRowException)
        {
            await DeleteAsync(key, storageId, cancellationToken);
            throw;
        }
    }

    /// <summary>Until the row holds it, or something that it doesn't cover.</summary>
    /// <returns>What the row holds.</returns>
    public async Task<StorageMark> WriteAsync(PeerKey key, StorageWitness witness, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        var noted = new Noted(key, witness);
        _waiting.Writer.TryWrite(noted);
        return await noted.Held.Task.WaitAsync(either.Token);
    }

    public Task DeleteAsync(PeerKey key, Guid storageId, CancellationToken cancellationToken) =>
        AskAsync(connection => WitnessRows.DeleteAsync(connection, key, storageId), cancellationToken);

    /// <summary>Writes that wait are not made any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _connections.DisposeAsync();
    }

    /// <summary>Without the moment nothing vouches; what speaks against the storage stays.</summary>
    private static StorageWitness ForServer(long server, StorageWitness witness) =>
        witness.Moment.System == server ? witness with { Moment = default } : witness;

    private async Task WriteAllAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync(_stopping.Token))
        {
            List<Noted> gathered = Gather();
            try
            {
                StorageMark[] held = await UntilAsync(connection => WriteAsync(connection, gathered), _stopping.Token);
                for (int i = 0; i < held.Length; i++)
                    gathered[i].Held.SetResult(held[i]);
            }
            catch (Exception e) when (!_stopping.IsCancellationRequested)
            {
                // No fault of the database: it stops those peers, and no others.
                gathered.ForEach(noted => noted.Held.SetException(e));
            }
            await Task.Delay(Pause, _time, _stopping.Token);
        }
    }

    /// <summary>One of each row, in the order that they came.</summary>
    private List<Noted> Gather()
    {
        List<Noted> gathered = [];
        HashSet<(PeerKey, Guid)> rows = [];
        while (gathered.Count < RowsMax && _waiting.Reader.TryPeek(out Noted? next)
            && rows.Add((next.Key, next.Witness.Mark.StorageId)))
        {
            _waiting.Reader.TryRead(out _);
            gathered.Add(next);
        }
        return gathered;
    }

    private async Task<StorageMark[]> WriteAsync(NpgsqlConnection connection, List<Noted> gathered)
    {
        long server = (await ServerHistory.ReadMomentAsync(connection)).System;
        if (!_toldOfServer && gathered.Find(one => one.Witness.Moment.System == server) is { } here)
        {
            _toldOfServer = true;
            OrleansLog.WitnessOnSameServer(_log, here.Key.ToString());
        }
        return await WitnessRows.WriteAsync(connection, [.. gathered.Select(one => (one.Key, ForServer(server, one.Witness)))]);
    }

    /// <summary>One at a time, apart from writes.</summary>
    private async Task<T> AskAsync<T>(Func<NpgsqlConnection, Task<T>> command, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        await _reading.WaitAsync(either.Token);
        try
        {
            return await UntilAsync(command, either.Token);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>However long the database is away: an activation must not go on without it, and a peer that runs does.</summary>
    private async Task<T> UntilAsync<T>(Func<NpgsqlConnection, Task<T>> command, CancellationToken cancellationToken)
    {
        for (TimeSpan delay = RetryMin; ; delay = delay * 2 < RetryMax ? delay * 2 : RetryMax)
        {
            try
            {
                return await _connections.UseAsync(command, cancellationToken);
            }
            catch (Exception e) when (e is not CorruptRowException && DatabaseConnections.IsFault(e))
            {
                OrleansLog.WitnessWaits(_log, e.Message);
            }
            await Task.Delay(delay, _time, cancellationToken);
        }
    }

    /// <summary>What is to be written of a peer, and what its row holds after that.</summary>
    private sealed record Noted(PeerKey Key, StorageWitness Witness)
    {
        public TaskCompletionSource<StorageMark> Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
