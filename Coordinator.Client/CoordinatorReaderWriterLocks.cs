using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// Locks that many may hold to read, or one to write; first come first served over all clients, so that readers never
/// pass a writer who waits. Readers of one client share one holding: who comes while another reads enters at once,
/// unless a writer of this client waits. Whoever wants a place of their own in the line takes a session of their own.
/// The names are those of <see cref="CoordinatorLocks"/>.
/// </summary>
public class CoordinatorReaderWriterLocks : CoordinatorHoldings
{
    internal CoordinatorReaderWriterLocks(ClientGroups groups) : base(groups, HoldingKind.Lock)
    {
    }

    protected CoordinatorReaderWriterLocks()
    {
    }

    /// <summary>Waits until nobody writes.</summary>
    /// <inheritdoc cref="CoordinatorLocks.AcquireAsync"/>
    public virtual Task<ReaderWriterLockHandle> AcquireReadLockAsync(
        string name, AcquireOptions? options = null, CancellationToken cancellationToken = default) =>
        AcquireAsync(name, isShared: true, options, cancellationToken);

    /// <summary>As <see cref="AcquireReadLockAsync"/>, but null if the wait ends without it; without options: one try.</summary>
    public virtual Task<ReaderWriterLockHandle?> TryAcquireReadLockAsync(
        string name, AcquireOptions? options = null, CancellationToken cancellationToken = default) =>
        TryAcquireAsync(name, isShared: true, options, cancellationToken);

    /// <summary>Waits until nobody reads or writes.</summary>
    /// <inheritdoc cref="CoordinatorLocks.AcquireAsync"/>
    public virtual Task<ReaderWriterLockHandle> AcquireWriteLockAsync(
        string name, AcquireOptions? options = null, CancellationToken cancellationToken = default) =>
        AcquireAsync(name, isShared: false, options, cancellationToken);

    /// <summary>As <see cref="AcquireWriteLockAsync"/>, but null if the wait ends without it; without options: one try.</summary>
    public virtual Task<ReaderWriterLockHandle?> TryAcquireWriteLockAsync(
        string name, AcquireOptions? options = null, CancellationToken cancellationToken = default) =>
        TryAcquireAsync(name, isShared: false, options, cancellationToken);

    private async Task<ReaderWriterLockHandle> AcquireAsync(
        string name, bool isShared, AcquireOptions? options, CancellationToken cancellationToken)
    {
        options ??= new AcquireOptions();
        Holding holding = await AcquireAsync(
            options.ToRequest(HoldingKind.Lock, name) with { IsShared = isShared },
            options.WaitOr(Timeout.InfiniteTimeSpan), cancellationToken).ConfigureAwait(false);
        return new ReaderWriterLockHandle(Groups.Of(name), holding);
    }

    private async Task<ReaderWriterLockHandle?> TryAcquireAsync(
        string name, bool isShared, AcquireOptions? options, CancellationToken cancellationToken)
    {
        options ??= new AcquireOptions();
        return await TryAcquireAsync(
            options.ToRequest(HoldingKind.Lock, name) with { IsShared = isShared },
            options.WaitOr(TimeSpan.Zero), cancellationToken).ConfigureAwait(false) is { } holding
            ? new ReaderWriterLockHandle(Groups.Of(name), holding)
            : null;
    }
}
