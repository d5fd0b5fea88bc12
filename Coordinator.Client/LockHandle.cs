using Coordinator.Client.Connection;
using Coordinator.Client.Machine;

namespace Coordinator.Client;

/// <summary>
/// A lock that was granted. It is held until it is released or lost; a lease alone never excludes: whoever stores
/// something under the lock passes <see cref="FencingToken"/> along, and the store refuses a lower one than it has seen.
/// </summary>
public class LockHandle : IAsyncDisposable
{
    private readonly ClientRuntime _runtime;
    private readonly Holding _holding;
    private readonly SessionGuard _guard;
    private readonly Lazy<Task> _release;

    internal LockHandle(ClientRuntime runtime, Holding holding, long floor)
    {
        _runtime = runtime;
        _holding = holding;
        _guard = (SessionGuard)holding.Session.Host!;
        _release = new Lazy<Task>(() => _runtime.ReleaseAsync(_holding));
        Floor = floor;
    }

    protected LockHandle()
    {
        _runtime = null!;
        _holding = null!;
        _guard = null!;
        _release = null!;
    }

    public virtual string Name => _holding.Name;

    /// <summary>Grows with each exclusive grant of the lock.</summary>
    public virtual long FencingToken => _holding.Token;

    /// <summary>The lowest token still held on the lock when this was granted; its own, as it is exclusive.</summary>
    public virtual long Floor { get; }

    /// <summary>The session that holds the lock.</summary>
    public virtual long SessionId => _holding.Session.Id;

    /// <summary>
    /// Cancelled when the lock can no longer be counted on: the session was lost, or its deadline passed without an
    /// answer from the cluster. Never by a release.
    /// </summary>
    public virtual CancellationToken LostToken => _guard.CheckedLostToken();

    /// <summary>
    /// Until when the lock is certainly held if nothing more is heard from the cluster; moves on with each answered
    /// keep-alive, and is in the past once the lock is lost.
    /// </summary>
    public virtual DateTimeOffset ValidUntil => _guard.ValidUntil;

    /// <summary>
    /// Gives the lock back; done when the cluster has confirmed it. May be called again. Doesn't fail when the lock is
    /// lost already; nor when the cluster doesn't answer within the request time-out: the client goes on trying, and
    /// the session's end releases it at the latest.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for the confirmation, not the release.</param>
    public virtual Task ReleaseAsync(CancellationToken cancellationToken = default) =>
        _release.Value.WaitAsync(cancellationToken);

    /// <summary><see cref="ReleaseAsync"/>.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        await ReleaseAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
