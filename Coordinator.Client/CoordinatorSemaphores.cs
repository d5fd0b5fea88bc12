using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// Semaphores: at most so many permits of a name are held at a time over all clients. First come first served: who wants
/// few never passes who wants many.
/// </summary>
public class CoordinatorSemaphores : CoordinatorHoldings
{
    internal CoordinatorSemaphores(ClientGroups groups) : base(groups, HoldingKind.Semaphore)
    {
    }

    protected CoordinatorSemaphores()
    {
    }

    /// <summary>Waits for permits.</summary>
    /// <param name="limit">
    /// How many there are in all, 1 to 1,000,000. All who use the name at the same time have to say the same number.
    /// </param>
    /// <param name="permits">How many are wanted, at once or not at all: 1 to <paramref name="limit"/>.</param>
    /// <exception cref="CoordinatorException">
    /// The cluster refused. <see cref="ErrorCode.LimitMismatch"/>: others hold it, or wait for it, with another limit.
    /// </exception>
    /// <inheritdoc cref="CoordinatorLocks.AcquireAsync"/>
    public virtual async Task<SemaphoreHandle> AcquireAsync(
        string name, int limit, int permits = 1, AcquireOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new AcquireOptions();
        Holding holding = await AcquireAsync(
            Request(name, limit, permits, options), options.WaitOr(Timeout.InfiniteTimeSpan), cancellationToken)
            .ConfigureAwait(false);
        return new SemaphoreHandle(Groups.Of(name), holding);
    }

    /// <summary>As <see cref="AcquireAsync"/>, but null if the wait ends without them; without options: one try.</summary>
    public virtual async Task<SemaphoreHandle?> TryAcquireAsync(
        string name, int limit, int permits = 1, AcquireOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new AcquireOptions();
        return await TryAcquireAsync(
            Request(name, limit, permits, options), options.WaitOr(TimeSpan.Zero), cancellationToken)
            .ConfigureAwait(false) is { } holding
            ? new SemaphoreHandle(Groups.Of(name), holding)
            : null;
    }

    private static AcquireRequest Request(string name, int limit, int permits, AcquireOptions options) =>
        options.ToRequest(HoldingKind.Semaphore, name) with { Limit = limit, Permits = permits };
}
