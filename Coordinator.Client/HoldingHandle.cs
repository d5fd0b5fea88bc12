using Coordinator.Client.Connection;
using Coordinator.Client.Machine;

namespace Coordinator.Client;

/// <summary>
/// Something that was granted to a session of this client, and is held until it is released or lost. Holding it never
/// excludes others by itself: whoever stores something under it passes <see cref="FencingToken"/> along, and the store
/// refuses a lower one than it has seen.
/// </summary>
public abstract class HoldingHandle : IAsyncDisposable
{
    private readonly LifeGuard _guard;
    private readonly Lazy<Task> _release;
    private Grant _grant;

    private protected HoldingHandle(ClientRuntime runtime, Holding holding)
    {
        Runtime = runtime;
        Holding = holding;
        _guard = (LifeGuard)holding.Host!;
        _release = new Lazy<Task>(BeginRelease);
        _grant = Grant.Of(holding);
    }

    /// <summary>For tests that put their own in its place.</summary>
    protected HoldingHandle()
    {
        Runtime = null!;
        Holding = null!;
        _guard = null!;
        _release = null!;
        _grant = null!;
    }

    public virtual string Name => Holding.Name;

    /// <summary>The log index of the grant: grows with each exclusive grant of the name.</summary>
    public virtual long FencingToken => _grant.Token;

    /// <summary>
    /// The lowest token still held on the name when this was granted: its own if it is exclusive. A guard keeps the
    /// highest floor that it has seen and refuses tokens below it.
    /// </summary>
    public virtual long Floor => _grant.Floors[0];

    /// <summary>The session that holds it.</summary>
    public virtual long SessionId => Holding.Session.Id;

    /// <summary>
    /// Cancelled when it can no longer be counted on: the session was lost, its deadline passed without an answer from
    /// the cluster, the maximum hold is over, or somebody forced its release. Never by a release.
    /// </summary>
    public virtual CancellationToken LostToken => _guard.CheckedLostToken();

    /// <summary>
    /// Cancelled when somebody asks that it be released; nothing else has changed then. <see cref="ReleaseReason"/> says
    /// why.
    /// </summary>
    public virtual CancellationToken ReleaseRequested => _guard.ReleaseRequested;

    /// <summary>Null while nobody asks.</summary>
    public virtual string? ReleaseReason => _guard.ReleaseReason;

    /// <summary>
    /// Until when it is certainly held if nothing more is heard from the cluster; moves on with each answered keep-alive,
    /// up to the end of the maximum hold, and is in the past once it is lost.
    /// </summary>
    public virtual DateTimeOffset ValidUntil => _guard.ValidUntil;

    internal ClientRuntime Runtime { get; }

    internal Holding Holding { get; }

    internal IReadOnlyList<long> Floors => _grant.Floors;

    /// <summary>
    /// Gives it back; done when the cluster has confirmed it. May be called again. Doesn't fail when it is lost already;
    /// nor when the cluster doesn't answer within the request time-out: the client goes on trying, and the session's end
    /// releases it at the latest.
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

    /// <summary>It was granted anew, with another token.</summary>
    internal void Renew() => _grant = Grant.Of(Holding);

    private Task BeginRelease()
    {
        _guard.Dispose();
        return Runtime.ReleaseAsync(Holding);
    }

    // One object, so that token and floor are always of the same grant.
    private sealed record Grant(long Token, IReadOnlyList<long> Floors)
    {
        public static Grant Of(Holding holding) => new(holding.Token, holding.Floors);
    }
}
