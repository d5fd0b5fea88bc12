using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// Executes a replica's storage effects and posts what became of them to its inbox. Invariant: at most one write, one
/// epoch read, one snapshot and one re-activation are under way, each awaited at the end; each of them is answered, if
/// only by stopping the peer.
/// </summary>
internal sealed class PeerStorageWorker(
    PeerKey key, PeerDatabase database, IWitness? witness, string owner, Action<PeerInput> post, TimeProvider time,
    ILogger log)
    : IAsyncDisposable
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private Task _write = Task.CompletedTask;
    private Task _epochRead = Task.CompletedTask;
    private Task _snapshot = Task.CompletedTask;
    private Task _reactivation = Task.CompletedTask;
    private Task _cleaning = Task.CompletedTask;
    private Task _recording = Task.CompletedTask;

    public void Begin(ReplicaEffects effects)
    {
        if (effects.Persist is { } write)
            _write = GuardAsync(WriteAsync(write));
        if (effects.ReadEpoch is { } epoch)
            _epochRead = GuardAsync(ReadEpochAsync(epoch));
        if (effects.WriteSnapshot is { } snapshot)
            _snapshot = GuardAsync(WriteSnapshotAsync(_snapshot, snapshot));
        if (effects.SnapshotInForce is { } inForce)
            _cleaning = DeleteOldSnapshotsAsync(_cleaning, inForce);
        if (effects.RecordWitness is { } record)
            _recording = GuardAsync(RecordAsync(record));
        if (effects.Reactivate is { } request)
            _reactivation = GuardAsync(ReactivateAsync(request));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_write, _epochRead, _snapshot, _reactivation, _cleaning, _recording);
        _stopping.Dispose();
    }

    /// <summary>
    /// Faults of the database are outcomes. Anything else is an impossible state, which stops the peer (rule 4): it would
    /// wait for ever for an answer that never comes.
    /// </summary>
    private async Task GuardAsync(Task work)
    {
        try
        {
            await work;
        }
        catch (Exception broken)
        {
            HostLog.PeerBroken(log, key.ToString(), broken);
            post(new PeerInput.Halt(ServiceState.Stopped, $"{broken.GetType().Name}: {broken.Message}"));
        }
    }

    private async Task WriteAsync(PeerWrite write)
    {
        WriteOutcome outcome = await database.WriteAsync(write);
        if (outcome != WriteOutcome.Committed)
            HostLog.WriteInDoubt(log, key.ToString(), write.Epoch, write.WriteSeq, outcome);
        post(new PeerInput.WriteEnded(write.Epoch, outcome));
    }

    private async Task ReadEpochAsync(long epoch)
    {
        EpochReading? reading = await database.ReadEpochsAsync();
        // Whoever waits asks again at once: a database that is refused, and so answers at once, would be asked without end.
        if (reading is null)
            await Task.Delay(RetryMin, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        post(new PeerInput.EpochRead(epoch, reading is not null, reading?.EpochOf(key)));
    }

    private async Task WriteSnapshotAsync(Task before, SnapshotBytes snapshot)
    {
        // A leader's snapshot overtakes an own one; the chunks of both still go one after the other.
        await before;
        bool durable = true;
        int chunk = 0;
        for (int at = 0; durable && at < snapshot.Data.Length; at += SnapshotPointer.ChunkBytes, chunk++)
        {
            int length = Math.Min(SnapshotPointer.ChunkBytes, snapshot.Data.Length - at);
            durable = await WriteChunkAsync(snapshot, chunk, snapshot.Data.Slice(at, length));
        }
        post(new PeerInput.SnapshotWritten(snapshot.Epoch, snapshot.Id, durable));
    }

    /// <summary>Until it is durable: a new activation without it has no witness, and must not take part.</summary>
    private async Task RecordAsync(StorageWitness record)
    {
        for (TimeSpan delay = RetryMin; !_stopping.IsCancellationRequested; delay = Longer(delay))
        {
            try
            {
                StorageMark held = witness is null ? record.Mark : await witness.WriteAsync(record, _stopping.Token);
                // First: an activation that waits takes part from the moment when it hears that it is recorded.
                if (record.Verdict is null && !record.Mark.Covers(held))
                    post(await ContradictedAsync(record.Mark, held));
                post(new PeerInput.WitnessRecorded(record.Mark));
                return;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                HostLog.WitnessNotWritten(log, key.ToString(), problem);
                await Task.Delay(delay, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>
    /// Whoever wrote what the witness holds had its epoch in the database before. So a database that is asked now has gone back
    /// in time if it knows of no activation after this one, or not of that one; otherwise another has taken over.
    /// </summary>
    private async Task<PeerInput> ContradictedAsync(StorageMark own, StorageMark held)
    {
        EpochReading? reading;
        while ((reading = await database.ReadEpochsAsync()) is null)
            await Task.Delay(RetryMin, time, _stopping.Token);
        return reading.EpochOf(key) switch
        {
            null => Missing(),
            { } stored when stored > own.Epoch && stored >= held.Epoch => TakenOver(stored),
            { } stored => new PeerInput.WentBack(
                $"The database went back in time: it has activation {stored} and write {own.WriteSeq} of this peer, and the witness that is kept apart from it has seen activation {held.Epoch} and write {held.WriteSeq}."),
        };
    }

    private async Task<bool> WriteChunkAsync(SnapshotBytes snapshot, int chunk, ReadOnlyMemory<byte> data)
    {
        for (TimeSpan delay = RetryMin; !_stopping.IsCancellationRequested; delay = Longer(delay))
        {
            try
            {
                if (await database.WriteSnapshotChunkAsync(
                    key, snapshot.Epoch, snapshot.Id, chunk, data, _stopping.Token))
                    return true;
                await Task.Delay(delay, time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        return false;
    }

    private async Task DeleteOldSnapshotsAsync(Task before, SnapshotPointer inForce)
    {
        await before;
        try
        {
            await database.DeleteSnapshotsExceptAsync(key, inForce, _stopping.Token);
        }
        catch (Exception problem)
        {
            // Garbage costs space, not safety: the next switch removes it as well.
            HostLog.SnapshotGarbageKept(log, key.ToString(), problem);
        }
    }

    /// <summary>Until the database says for certain who owns the row (rule 4).</summary>
    private async Task ReactivateAsync(ReactivationRequest request)
    {
        // The write in doubt must have ended here before its fate is settled there.
        await _write;
        for (TimeSpan delay = RetryMin; !_stopping.IsCancellationRequested; delay = Longer(delay))
        {
            try
            {
                ActivationResult result = await database.ReactivateAsync(
                    key, request.Epoch, request.AcknowledgedWriteSeq, owner, _stopping.Token);
                if (Outcome(result) is { } input)
                {
                    post(input);
                    return;
                }
                await Task.Delay(delay, time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Null: not settled, try again.</summary>
    private PeerInput? Outcome(ActivationResult result)
    {
        switch (result)
        {
            case ActivationResult.Activated activated:
                HostLog.Reactivated(log, key.ToString(), activated.Peer.Epoch);
                return new PeerInput.Reactivated(activated.Peer);
            case ActivationResult.Superseded superseded:
                return TakenOver(superseded.Epoch);
            case ActivationResult.Missing:
                return Missing();
            case ActivationResult.WentBack wentBack:
                return new PeerInput.WentBack($"The database went back in time: {wentBack.Detail}.");
            case ActivationResult.Corrupt corrupt:
                return new PeerInput.Halt(ServiceState.Quarantined, corrupt.Row);
            case ActivationResult.Unavailable unavailable:
                HostLog.ReactivationWaits(log, key.ToString(), unavailable.Reason.Message);
                return null;
            default:
                throw new InvalidOperationException($"Unknown activation result {result}.");
        }
    }

    private static PeerInput.Halt TakenOver(long epoch) => new(
        ServiceState.Stopped, $"Activation {epoch} of this peer has taken over: another silo uses this database. Stop one of them.");

    private static PeerInput.Halt Missing() => new(
        ServiceState.Quarantined, "The peer's row is missing: it comes back only under a new peer id.");

    private static TimeSpan Longer(TimeSpan delay) => delay * 2 < RetryMax ? delay * 2 : RetryMax;
}
