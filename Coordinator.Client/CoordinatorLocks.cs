using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// Exclusive locks, first come first served over all clients. Several callers in one client stand in a line of the
/// client's own for each name, of which the first is in the cluster's. <see cref="CoordinatorReaderWriterLocks"/> have
/// the same names: an exclusive lock is a write lock.
/// </summary>
public class CoordinatorLocks : CoordinatorHoldings
{
    internal CoordinatorLocks(ClientGroups groups) : base(groups, HoldingKind.Lock)
    {
    }

    protected CoordinatorLocks()
    {
    }

    /// <summary>Waits for the lock <paramref name="name"/>.</summary>
    /// <param name="options">
    /// Or a <see cref="TimeSpan"/>: how long to wait; null: as long as it takes. If the session is lost meanwhile, the
    /// place in line is lost too, and the wait goes on in a new session.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the wait at once, never the hold. A request that was sent is withdrawn in the background: should it have
    /// been granted, the lock is given back.
    /// </param>
    /// <exception cref="LockNotAcquiredException">The wait is over; nothing is held.</exception>
    /// <exception cref="CoordinatorTimeoutException">The cluster can't be reached.</exception>
    /// <exception cref="CoordinatorException">The cluster refused.</exception>
    public virtual Task<LockHandle> AcquireAsync(
        string name, AcquireOptions? options = null, CancellationToken cancellationToken = default) =>
        AcquireAllAsync([name], options, cancellationToken);

    /// <summary>As <see cref="AcquireAsync"/>, but null if the wait ends without the lock; without options: one try.</summary>
    public virtual Task<LockHandle?> TryAcquireAsync(
        string name, AcquireOptions? options = null, CancellationToken cancellationToken = default) =>
        TryAcquireAllAsync([name], options, cancellationToken);

    /// <summary>
    /// Waits until all of the locks are free at once, and takes them together: at most 32. Nothing is held meanwhile, so
    /// that two who want the same locks in another order never block each other. In a cluster of several groups they have
    /// to be in one: a common namespace, such as "orders/…", sees to it. Others are refused with
    /// <see cref="ErrorCode.SpansGroups"/>.
    /// </summary>
    /// <inheritdoc cref="AcquireAsync"/>
    public virtual async Task<LockHandle> AcquireAllAsync(
        IReadOnlyList<string> names, AcquireOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new AcquireOptions();
        Holding holding = await AcquireAsync(
            Request(names, options), options.WaitOr(Timeout.InfiniteTimeSpan), cancellationToken).ConfigureAwait(false);
        return new LockHandle(Groups.Of(holding.Name), holding);
    }

    /// <summary>As <see cref="AcquireAllAsync"/>, but null if the wait ends without the locks; without options: one try.</summary>
    public virtual async Task<LockHandle?> TryAcquireAllAsync(
        IReadOnlyList<string> names, AcquireOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new AcquireOptions();
        Holding? holding = await TryAcquireAsync(
            Request(names, options), options.WaitOr(TimeSpan.Zero), cancellationToken).ConfigureAwait(false);
        return holding is null ? null : new LockHandle(Groups.Of(holding.Name), holding);
    }

    private static AcquireRequest Request(IReadOnlyList<string> names, AcquireOptions options)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count == 0)
            throw new ArgumentException("No lock is named.", nameof(names));
        return options.ToRequest(HoldingKind.Lock, [.. names]);
    }
}
