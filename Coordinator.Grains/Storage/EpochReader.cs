using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Reads the epochs of all peers for all who wait (rule 6). Invariant: an answer comes from a SELECT that began after
/// the question; whoever asks while one is on its way waits for the next.
/// </summary>
internal sealed class EpochReader(DatabaseConnections connections, ILogger log) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<EpochReading?>? _next;
    private Task _loop = Task.CompletedTask;
    private bool _running;
    private bool _disposed;
    private NpgsqlCommand? _command;

    public Task<EpochReading?> ReadAsync()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return Task.FromResult<EpochReading?>(null);
            }

            _next ??= new TaskCompletionSource<EpochReading?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_running)
            {
                _running = true;
                _loop = Task.Run(RunAsync);
            }

            return _next.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task loop;
        lock (_gate)
        {
            _disposed = true;
            loop = _loop;
        }

        await loop;
        await DropAsync();
    }

    private async Task RunAsync()
    {
        while (TakeWaiting() is { } waiting)
        {
            waiting.SetResult(await TryReadAsync());
        }
    }

    private TaskCompletionSource<EpochReading?>? TakeWaiting()
    {
        lock (_gate)
        {
            TaskCompletionSource<EpochReading?>? waiting = _next;
            _next = null;
            _running = waiting is not null;
            return waiting;
        }
    }

    private async Task<EpochReading?> TryReadAsync()
    {
        try
        {
            if (connections.Refusals is { Count: > 0 } refusals)
            {
                throw DatabaseConnections.Refused(refusals);
            }

            _command ??= await PrepareAsync();
            NpgsqlCommand command = _command;
            return await Watchdog.RunAsync(
                command.Connection!, () => SelectAsync(command), connections.WriteTimeout, connections.Time);
        }
        catch (Exception e)
        {
            // Whatever it was: no answer, and the next question gets a connection of its own.
            StorageLog.EpochsNotRead(log, e.Message);
            await DropAsync();
            return null;
        }
    }

    private async Task<NpgsqlCommand> PrepareAsync()
    {
        NpgsqlConnection connection = await connections.OpenAsync(CancellationToken.None);
        var command = new NpgsqlCommand(
            "SELECT group_id, peer_id, epoch, pg_is_in_recovery() FROM coordinator.peer", connection);
        try
        {
            await Watchdog.RunAsync(
                connection,
                async () =>
                {
                    await command.PrepareAsync();
                    return true;
                },
                connections.WriteTimeout,
                connections.Time);
            return command;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    // A standby answers with the past: only the primary's word counts.
    private static async Task<EpochReading?> SelectAsync(NpgsqlCommand command)
    {
        var epochs = new Dictionary<PeerKey, long>();
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        bool primary = true;
        while (await reader.ReadAsync())
        {
            primary &= !reader.GetBoolean(3);
            epochs.Add(new PeerKey(reader.GetInt32(0), new PeerId(reader.GetInt64(1))), reader.GetInt64(2));
        }

        return primary ? new EpochReading(epochs) : null;
    }

    private async Task DropAsync()
    {
        if (_command is { Connection: { } connection })
        {
            _command = null;
            try
            {
                await connection.DisposeAsync();
            }
            catch (Exception e)
            {
                StorageLog.ConnectionNotClosed(log, e);
            }
        }
    }
}
