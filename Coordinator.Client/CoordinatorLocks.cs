using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// Exclusive locks, first come first served over all clients. Several callers in one client stand in a line of the
/// client's own for each name, of which the first is in the cluster's.
/// </summary>
public class CoordinatorLocks
{
    private readonly ClientRuntime _runtime;

    internal CoordinatorLocks(ClientRuntime runtime) => _runtime = runtime;

    protected CoordinatorLocks() => _runtime = null!;

    /// <summary>Waits for the lock <paramref name="name"/>.</summary>
    /// <param name="wait">
    /// At most 1 day; zero: one try; <see cref="Timeout.InfiniteTimeSpan"/>: as long as it takes. If the session is lost
    /// meanwhile, the place in line is lost too, and the wait goes on in a new session.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the wait at once, never the hold. A request that was sent is withdrawn in the background: should it have
    /// been granted, the lock is given back.
    /// </param>
    /// <exception cref="LockNotAcquiredException">The wait is over; nothing is held.</exception>
    /// <exception cref="CoordinatorTimeoutException">The cluster can't be reached.</exception>
    /// <exception cref="CoordinatorException">The cluster refused.</exception>
    public virtual async Task<LockHandle> AcquireAsync(
        string name, TimeSpan wait, CancellationToken cancellationToken = default) =>
        await TryAcquireAsync(name, wait, cancellationToken).ConfigureAwait(false)
        ?? throw new LockNotAcquiredException(name, $"The lock \"{name}\" was not free within {wait}.");

    /// <summary>As <see cref="AcquireAsync"/>, but null if the wait ends without the lock.</summary>
    public virtual async Task<LockHandle?> TryAcquireAsync(
        string name, TimeSpan wait = default, CancellationToken cancellationToken = default)
    {
        if (ResourceName.Problem(name) is { } problem)
            throw new ArgumentException(problem, nameof(name));
        if (wait != Timeout.InfiniteTimeSpan && (wait < TimeSpan.Zero || wait > Limits.WaitMax))
            throw new ArgumentOutOfRangeException(nameof(wait), wait, $"A wait is from 0 to {Limits.WaitMax}, or infinite.");
        TimeSpan start = _runtime.Clock.Now().Monotonic;
        TimeSpan remaining = wait;
        while (true)
        {
            AcquireOperation operation = new(name, remaining);
            Completion completion = await _runtime.RunAsync(operation, cancellationToken).ConfigureAwait(false);
            if (completion is not Completion.Acquired acquired)
                return null;
            LockHandle handle = new(_runtime, acquired.Holding, acquired.Floor);
            // This process may have been stopped between the grant and here: a lock that is lost is not handed out.
            if (!handle.LostToken.IsCancellationRequested)
                return handle;
            TimeSpan left = wait - (_runtime.Clock.Now().Monotonic - start);
            remaining = wait == Timeout.InfiniteTimeSpan ? wait : left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }
}
