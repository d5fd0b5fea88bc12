using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// A reader-writer lock that was granted: shared with other readers, or exclusive. Readers of one client share one
/// holding of its session, and with it the token.
/// </summary>
public class ReaderWriterLockHandle : HoldingHandle
{
    private volatile bool _isShared;

    internal ReaderWriterLockHandle(ClientRuntime runtime, Holding holding) : base(runtime, holding) =>
        _isShared = holding.IsShared;

    protected ReaderWriterLockHandle()
    {
    }

    /// <summary>Others may read at the same time.</summary>
    public virtual bool IsShared => _isShared;

    /// <summary>
    /// Makes the read lock a write lock, once all other readers have left; it goes before all who wait for the lock.
    /// <see cref="HoldingHandle.FencingToken"/> is another one then; read it anew. Without success the read lock stays.
    /// </summary>
    /// <param name="wait">As in <see cref="AcquireOptions.Wait"/>.</param>
    /// <exception cref="LockNotAcquiredException">The wait is over; the read lock is held as before.</exception>
    /// <exception cref="CoordinatorException">
    /// <see cref="ErrorCode.UpgradeInProgress"/>: another reader waits for its upgrade, and would wait for this one to
    /// leave for ever: release this lock. <see cref="ErrorCode.LockNotHeld"/> or <see cref="ErrorCode.SessionNotFound"/>:
    /// it is lost. <see cref="ErrorCode.LockAlreadyHeld"/>: it is a write lock.
    /// </exception>
    public virtual async Task UpgradeAsync(TimeSpan wait, CancellationToken cancellationToken = default)
    {
        if (!await TryUpgradeAsync(wait, cancellationToken).ConfigureAwait(false))
            throw new LockNotAcquiredException(Name, $"The read lock \"{Name}\" could not be upgraded within {wait}.");
    }

    /// <summary>As <see cref="UpgradeAsync"/>.</summary>
    /// <returns>False if the wait is over: the read lock is held as before.</returns>
    public virtual async Task<bool> TryUpgradeAsync(TimeSpan wait = default, CancellationToken cancellationToken = default)
    {
        Acquires.CheckWait(wait);
        Completion completion =
            await Runtime.RunAsync(new AcquireOperation(Holding, wait), cancellationToken).ConfigureAwait(false);
        if (completion is not Completion.Acquired)
            return false;
        Renew();
        _isShared = false;
        return true;
    }

    /// <summary>Makes the write lock a read lock, without letting go of it. The token stays.</summary>
    /// <exception cref="CoordinatorException">It is not held any more.</exception>
    /// <exception cref="CoordinatorOutcomeUnknownException">It is held still, but perhaps shared.</exception>
    public virtual async Task DowngradeAsync(CancellationToken cancellationToken = default)
    {
        Command command = new() { DowngradeLock = new DowngradeLock { Name = Name } };
        await Runtime.ExecuteAsync(new HoldingOperation(Holding, command), cancellationToken).ConfigureAwait(false);
        _isShared = true;
    }
}
