using Coordinator.Client.Connection;
using Coordinator.Client.Machine;

namespace Coordinator.Client;

/// <summary>
/// A client of one Coordinator cluster: one connection, over which everything goes, and a session that it opens at the
/// first need and keeps alive by itself; in a cluster of several groups, one of both for each group that is used. Make one
/// for a process and share it; thread-safe. Members are virtual, and the constructors without arguments protected, so that
/// tests can put their own in their place.
/// </summary>
/// <example><code>
/// await using var client = new CoordinatorClient("http://127.0.0.1:7400");
/// await using var handle = await client.Locks.AcquireAsync("orders/42", TimeSpan.FromSeconds(30));
/// </code></example>
public class CoordinatorClient : IAsyncDisposable
{
    private readonly ClientGroups? _groups;

    public CoordinatorClient(string endpoint) : this(new CoordinatorClientOptions { Endpoints = [endpoint] })
    {
    }

    /// <summary>Connects to nothing yet: that happens at the first request.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public CoordinatorClient(CoordinatorClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _groups = new ClientGroups(options.Validated());
        Locks = new CoordinatorLocks(_groups);
        ReaderWriterLocks = new CoordinatorReaderWriterLocks(_groups);
        Semaphores = new CoordinatorSemaphores(_groups);
        Leases = new CoordinatorLeases(_groups);
        Elections = new CoordinatorElections(_groups);
        Sessions = new CoordinatorSessions(_groups);
        Configuration = new CoordinatorConfiguration(_groups);
        Cluster = new CoordinatorCluster(_groups);
    }

    protected CoordinatorClient()
    {
        Locks = null!;
        ReaderWriterLocks = null!;
        Semaphores = null!;
        Leases = null!;
        Elections = null!;
        Sessions = null!;
        Configuration = null!;
        Cluster = null!;
    }

    public virtual CoordinatorLocks Locks { get; }

    public virtual CoordinatorReaderWriterLocks ReaderWriterLocks { get; }

    public virtual CoordinatorSemaphores Semaphores { get; }

    public virtual CoordinatorLeases Leases { get; }

    public virtual CoordinatorElections Elections { get; }

    public virtual CoordinatorSessions Sessions { get; }

    public virtual CoordinatorConfiguration Configuration { get; }

    /// <summary>The peers of the cluster's groups, and changes to them.</summary>
    public virtual CoordinatorCluster Cluster { get; }

    /// <summary>
    /// The session that new requests use, null while there is none. After a session was lost, the next request that
    /// needs one opens another. Null also in a cluster of several groups, where each has its own: see
    /// <see cref="SessionIdOf"/>.
    /// </summary>
    public virtual long? SessionId => _groups?.SessionIdOf(Scope.OnlyGroup);

    /// <summary>
    /// The session that new requests for <paramref name="name"/> use, null while there is none. One id in two groups is two
    /// sessions: compare it only with what was read of names in the same namespace.
    /// </summary>
    public virtual long? SessionIdOf(string name)
    {
        Acquires.CheckName(name);
        return _groups?.SessionIdOf(Scope.Of(name));
    }

    /// <summary>
    /// Ends the session and the leases, and with them all that is held, and closes the connection. Takes 2 s at most when the cluster can't be
    /// reached; then the session ends by its TTL. Open requests end with <see cref="ObjectDisposedException"/>.
    /// </summary>
    public virtual async ValueTask DisposeAsync()
    {
        if (_groups is not null)
            await _groups.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
