using System.Collections.Concurrent;
using System.Threading.Channels;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>
/// Writes of all peers of a database, gathered: what waits while one statement is on its way goes into the next.
/// Invariant: at most one write in flight for each peer, and every write gets exactly one outcome.
/// </summary>
internal sealed class SharedWriter : IAsyncDisposable
{
    private readonly DatabaseConnections _connections;
    private readonly PeerDatabaseOptions _options;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<PeerKey, bool> _inFlight = new();
    private readonly Channel<PendingWrite> _waiting =
        Channel.CreateUnbounded<PendingWrite>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Task _loop;
    private WriteStatement? _statement;

    public SharedWriter(DatabaseConnections connections, PeerDatabaseOptions options, ILogger log)
    {
        _connections = connections;
        _options = options;
        _log = log;
        _loop = Task.Run(RunAsync);
    }

    public Task<WriteOutcome> WriteAsync(PeerWrite write)
    {
        WriteRules.Validate(write);
        if (!_inFlight.TryAdd(write.Key, true))
        {
            throw new InvalidOperationException($"Peer {write.Key} has a write in flight already (rule 3).");
        }

        var pending = new PendingWrite(write);
        if (!_waiting.Writer.TryWrite(pending))
        {
            Complete(pending, WriteOutcome.Failed);
        }

        return pending.Outcome;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop;
        await DropStatementAsync();
    }

    private async Task RunAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync())
        {
            // Peers that the same event woke and that are ready to run join this statement; it costs a lone one
            // nothing.
            await Task.Yield();
            List<PendingWrite> gathered = Gather();
            WriteOutcome[] outcomes = await WriteAsync([.. gathered.Select(p => p.Write)]);
            for (int i = 0; i < gathered.Count; i++)
            {
                Complete(gathered[i], outcomes[i]);
            }
        }
    }

    private List<PendingWrite> Gather()
    {
        var gathered = new List<PendingWrite>();
        long rows = 0;
        long bytes = 0;
        while (_waiting.Reader.TryPeek(out PendingWrite? next))
        {
            rows += next.Write.Entries.Count;
            bytes += WriteBatch.BytesOf(next.Write);
            if (gathered.Count > 0 && (rows > _options.StatementRowsMax || bytes > _options.StatementBytesMax))
            {
                break;
            }

            _waiting.Reader.TryRead(out _);
            gathered.Add(next);
        }

        return gathered;
    }

    private void Complete(PendingWrite pending, WriteOutcome outcome)
    {
        if (outcome is WriteOutcome.Fenced or WriteOutcome.Busy or WriteOutcome.Missing)
        {
            StorageLog.WriteDidNotMatch(_log, pending.Write.Key, pending.Write.Epoch, pending.Write.WriteSeq, outcome);
        }

        // Free for the next write before its maker hears of this one.
        _inFlight.TryRemove(pending.Write.Key, out _);
        pending.Complete(outcome);
    }

    private async Task<WriteOutcome[]> WriteAsync(IReadOnlyList<PeerWrite> writes)
    {
        try
        {
            // A server that the last check refused gets nothing more, not even over the connection that is open.
            if (_connections.Refusals is { Count: > 0 } refusals)
            {
                throw DatabaseConnections.Refused(refusals);
            }

            _statement ??= await WriteStatement.PrepareAsync(_connections);
        }
        catch (Exception e)
        {
            // Nothing was sent, whatever it was.
            StorageLog.WritesNotSent(_log, writes.Count, e);
            return All(writes, WriteOutcome.Failed);
        }

        try
        {
            return await _statement.ExecuteAsync(new WriteBatch(writes), _options.WriteTimeout, _connections.Time);
        }
        catch (Exception e)
        {
            // Once sent, everything but the server's word that it rolled back leaves the outcome open.
            await DropStatementAsync();
            WriteOutcome outcome = IsRolledBack(e) ? WriteOutcome.Failed : WriteOutcome.Unknown;
            StorageLog.WritesLost(_log, writes.Count, outcome, e);
            return All(writes, outcome);
        }
    }

    // An error ends the statement, and with it the implicit transaction; FATAL and PANIC end the session, at any
    // moment of the commit (57P01, 57P02), and 40003 says itself that it does not know.
    private static bool IsRolledBack(Exception e) =>
        e is PostgresException
        {
            InvariantSeverity: "ERROR",
            SqlState: not PostgresErrorCodes.StatementCompletionUnknown,
        };

    private async Task DropStatementAsync()
    {
        if (_statement is { } statement)
        {
            _statement = null;
            try
            {
                await statement.DisposeAsync();
            }
            catch (Exception e)
            {
                StorageLog.ConnectionNotClosed(_log, e);
            }
        }
    }

    private static WriteOutcome[] All(IReadOnlyList<PeerWrite> writes, WriteOutcome outcome)
    {
        var outcomes = new WriteOutcome[writes.Count];
        Array.Fill(outcomes, outcome);
        return outcomes;
    }

    private sealed class PendingWrite(PeerWrite write)
    {
        private readonly TaskCompletionSource<WriteOutcome> _outcome =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PeerWrite Write { get; } = write;

        public Task<WriteOutcome> Outcome => _outcome.Task;

        public void Complete(WriteOutcome outcome) => _outcome.SetResult(outcome);
    }
}
