using Coordinator.Client.Connection;
using Coordinator.Client.Machine;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>
/// A lease that was granted: exclusive, with a time to live of its own, in no session. It ends when it is released, or
/// when its time to live has passed since the last renewal.
/// </summary>
public class LeaseHandle : IAsyncDisposable
{
    private readonly ClientRuntime _runtime;
    private readonly Lease _lease;
    private readonly LifeGuard _guard;
    private readonly Lazy<Task> _release;

    internal LeaseHandle(ClientRuntime runtime, Lease lease)
    {
        _runtime = runtime;
        _lease = lease;
        _guard = (LifeGuard)lease.Host!;
        _release = new Lazy<Task>(BeginRelease);
    }

    protected LeaseHandle()
    {
        _runtime = null!;
        _lease = null!;
        _guard = null!;
        _release = null!;
    }

    public virtual string Name => _lease.Name;

    /// <summary>Grows with each grant of the name; it is the lease's id, too.</summary>
    public virtual long FencingToken => _lease.Id;

    /// <inheritdoc cref="HoldingHandle.LostToken"/>
    public virtual CancellationToken LostToken => _guard.CheckedLostToken();

    /// <summary>Until when it is certainly held if no further renewal is answered; in the past once it is lost.</summary>
    public virtual DateTimeOffset ValidUntil => _guard.ValidUntil;

    /// <summary>Makes it live its whole time from now on. Not needed when the client renews it by itself.</summary>
    /// <exception cref="CoordinatorException"><see cref="ErrorCode.LeaseNotFound"/>: it is over.</exception>
    public virtual Task RenewAsync(CancellationToken cancellationToken = default) =>
        _runtime.ExecuteAsync(new RenewLeaseOperation(_lease.Name, _lease.Id, _lease), cancellationToken);

    /// <inheritdoc cref="HoldingHandle.ReleaseAsync"/>
    public virtual Task ReleaseAsync(CancellationToken cancellationToken = default) =>
        _release.Value.WaitAsync(cancellationToken);

    /// <summary><see cref="ReleaseAsync"/>.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        await ReleaseAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private Task BeginRelease()
    {
        _guard.Dispose();
        return _runtime.ReleaseAsync(_lease);
    }
}
