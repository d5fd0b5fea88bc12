using Coordinator.Client.Connection;

namespace Coordinator.Client;

/// <summary>
/// A client of one Coordinator cluster: one connection, over which everything goes, and a session that it opens at the
/// first need and keeps alive by itself. Make one for a process and share it; thread-safe. Members are virtual, and the
/// constructors without arguments protected, so that tests can put their own in their place.
/// </summary>
/// <example><code>
/// await using var client = new CoordinatorClient("http://127.0.0.1:7400");
/// await using var handle = await client.Locks.AcquireAsync("orders/42", TimeSpan.FromSeconds(30));
/// </code></example>
public class CoordinatorClient : IAsyncDisposable
{
    private readonly ClientRuntime? _runtime;

    public CoordinatorClient(string endpoint) : this(new CoordinatorClientOptions { Endpoints = [endpoint] })
    {
    }

    /// <summary>Connects to nothing yet: that happens at the first request.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public CoordinatorClient(CoordinatorClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _runtime = new ClientRuntime(options.Validated());
        Locks = new CoordinatorLocks(_runtime);
        ReaderWriterLocks = new CoordinatorReaderWriterLocks(_runtime);
        Semaphores = new CoordinatorSemaphores(_runtime);
        Leases = new CoordinatorLeases(_runtime);
        Elections = new CoordinatorElections(_runtime);
        Sessions = new CoordinatorSessions(_runtime);
        Configuration = new CoordinatorConfiguration(_runtime);
        Cluster = new CoordinatorCluster(_runtime);
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
    /// needs one opens another.
    /// </summary>
    public virtual long? SessionId => _runtime?.SessionId;

    /// <summary>
    /// Ends the session and the leases, and with them all that is held, and closes the connection. Takes 2 s at most when the cluster can't be
    /// reached; then the session ends by its TTL. Open requests end with <see cref="ObjectDisposedException"/>.
    /// </summary>
    public virtual async ValueTask DisposeAsync()
    {
        if (_runtime is not null)
            await _runtime.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
