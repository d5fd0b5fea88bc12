using Coordinator.Client;
using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.EndToEnd;

/// <summary>
/// Locks through the client, written down as their caller sees them. A caller doesn't choose its session, so each acquire
/// is recorded as a session of its own, which holds that lock at most.
/// </summary>
internal sealed class RecordedLocks(OperationRecorder<LockInput, LockOutput> recorder)
{
    private long _holders;

    /// <returns>Null if it was not acquired, or if the caller left after <paramref name="patience"/>.</returns>
    public async Task<RecordedHolding?> AcquireAsync(
        CoordinatorClient client, int caller, string name, TimeSpan wait, TimeSpan patience)
    {
        long holder = Interlocked.Increment(ref _holders);
        int acquire = recorder.Invoke(caller, new LockInput.Acquire(name, holder));
        using var leaving = new CancellationTokenSource();
        Task<LockHandle?> acquiring = client.Locks.TryAcquireAsync(name, wait, leaving.Token);
        if (await Task.WhenAny(acquiring, Task.Delay(patience)) != acquiring)
        {
            // Should it be granted all the same, it is given back some time after this.
            recorder.GiveUp(recorder.Invoke(caller, new LockInput.Release(name, holder, 0)));
            await leaving.CancelAsync();
        }
        try
        {
            if (await acquiring is { } handle)
            {
                recorder.Return(acquire, new LockOutput.Granted(handle.FencingToken));
                return new RecordedHolding(recorder, caller, holder, handle);
            }
            // Certain: nothing is held. Whether somebody else held it, this doesn't tell: another caller of the same
            // client may only have been before this one.
            recorder.HadNoEffect(acquire);
        }
        catch (OperationCanceledException)
        {
            recorder.GiveUp(acquire);
        }
        return null;
    }
}

/// <summary>A lock that was granted, until it is given back or its client is gone.</summary>
internal sealed class RecordedHolding(
    OperationRecorder<LockInput, LockOutput> recorder, int caller, long holder, LockHandle handle)
{
    public long Token => handle.FencingToken;

    public async Task ReleaseAsync()
    {
        int release = recorder.Invoke(caller, new LockInput.Release(handle.Name, holder, handle.FencingToken));
        await handle.ReleaseAsync();
        // A lost lock is released by the end of its session, some time.
        if (handle.LostToken.IsCancellationRequested)
            recorder.GiveUp(release);
        else
            recorder.Return(release, new LockOutput.Released(handle.FencingToken));
    }

    /// <summary>To be called before the client is disposed: its session ends some time after this.</summary>
    public void Abandon() => recorder.GiveUp(recorder.Invoke(caller, new LockInput.EndSession(holder, handle.Name)));
}
