using Coordinator.Client.Connection;
using Coordinator.Client.Machine;

namespace Coordinator.Client;

/// <summary>
/// A session that was created, with all that can be held in it: names of its own group; others are refused with
/// <see cref="Contracts.ErrorCode.SpansGroups"/>. After it is lost, every request that needs it is refused
/// with <see cref="Contracts.ErrorCode.SessionNotFound"/>; no other takes its place. Thread-safe.
/// </summary>
public class CoordinatorSession : IAsyncDisposable
{
    private readonly ClientGroups? _groups;
    private readonly Session _session;
    private readonly LifeGuard _guard;

    internal CoordinatorSession(ClientGroups groups, int group, Session session)
    {
        _groups = groups;
        Group = group;
        _session = session;
        _guard = (LifeGuard)session.Host!;
        Locks = new CoordinatorLocks(groups);
        ReaderWriterLocks = new CoordinatorReaderWriterLocks(groups);
        Semaphores = new CoordinatorSemaphores(groups);
        Elections = new CoordinatorElections(groups);
        Configuration = new CoordinatorConfiguration(groups);
    }

    protected CoordinatorSession()
    {
        _session = null!;
        _guard = null!;
        Locks = null!;
        ReaderWriterLocks = null!;
        Semaphores = null!;
        Elections = null!;
        Configuration = null!;
    }

    /// <summary>The log index of its creation, in its group: another group may have another session of that id.</summary>
    public virtual long Id => _session.Id;

    /// <summary>The one in which it is.</summary>
    public virtual int Group { get; }

    /// <inheritdoc cref="HoldingHandle.LostToken"/>
    public virtual CancellationToken LostToken => _guard.CheckedLostToken();

    /// <inheritdoc cref="HoldingHandle.ValidUntil"/>
    public virtual DateTimeOffset ValidUntil => _guard.ValidUntil;

    public virtual CoordinatorLocks Locks { get; }

    public virtual CoordinatorReaderWriterLocks ReaderWriterLocks { get; }

    public virtual CoordinatorSemaphores Semaphores { get; }

    public virtual CoordinatorElections Elections { get; }

    /// <summary>As the client's own, with its writes made in this session.</summary>
    public virtual CoordinatorConfiguration Configuration { get; }

    /// <summary>
    /// Ends the session, and with it all that it holds; LostToken is cancelled first. Takes 2 s at most when the cluster
    /// can't be reached; then it ends by its time to live.
    /// </summary>
    public virtual async ValueTask DisposeAsync()
    {
        if (_groups is not null)
            await _groups.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
