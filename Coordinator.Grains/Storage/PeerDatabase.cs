using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Storage;

/// <summary>
/// One PostgreSQL database that holds peers. Thread-safe.
/// Invariant: what it says is committed was confirmed by the server without a warning.
/// </summary>
public sealed class PeerDatabase : IAsyncDisposable
{
    private readonly DatabaseConnections _connections;
    private readonly ILogger _log;
    private readonly Activations _activations;
    private readonly SharedWriter _writer;
    private readonly EpochReader _epochs;
    private readonly HealthMonitor _monitor;

    private PeerDatabase(DatabaseConnections connections, PeerDatabaseOptions options, ILogger log)
    {
        _connections = connections;
        _log = log;
        _activations = new Activations(connections, log);
        _writer = new SharedWriter(connections, options, log);
        _epochs = new EpochReader(connections, log);
        _monitor = new HealthMonitor(connections, options, health => HealthChanged?.Invoke(health), log);
    }

    /// <summary>
    /// Raised from the check's own loop, after every check whose finding differs from the one before.
    /// </summary>
    public event Action<DatabaseHealth>? HealthChanged;

    public DatabaseHealth Health => _monitor.Health;

    /// <summary>Connects, refuses unsafe settings (rule 7), migrates the schema.</summary>
    /// <exception cref="DatabaseRefusedException">Unsafe settings, a pooler in between, a newer schema, or the server
    /// says no to the connection itself.</exception>
    /// <exception cref="Npgsql.NpgsqlException">No server answered within the option's time.</exception>
    public static async Task<PeerDatabase> OpenAsync(
        PeerDatabaseOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        options.Validate();
        ILogger log = logs.CreateLogger<PeerDatabase>();
        var connections = new DatabaseConnections(options, time);
        try
        {
            await DatabaseOpener.MigrateAsync(connections, options, log, cancellationToken);
            return new PeerDatabase(connections, options, log);
        }
        catch
        {
            await connections.DisposeAsync();
            throw;
        }
    }

    /// <summary>Null when no cluster was ever bootstrapped here.</summary>
    /// <exception cref="CorruptRowException">The cluster's row or a peer's identity is damaged.</exception>
    public Task<StoredCluster?> ReadClusterAsync(CancellationToken cancellationToken) =>
        _connections.UseAsync(ClusterStore.ReadAsync, cancellationToken);

    /// <summary>
    /// Writes cluster and peers in one transaction (rule 1). If it throws anything else than what is named here, it
    /// may have happened: read the cluster again.
    /// </summary>
    /// <exception cref="AlreadyBootstrappedException">A cluster or a peer is there; nothing was changed.</exception>
    public async Task BootstrapAsync(
        Guid clusterId, int groups, IReadOnlyList<NewPeer> peers, CancellationToken cancellationToken)
    {
        await _connections.UseAsync(
            async connection =>
            {
                await ClusterStore.BootstrapAsync(connection, clusterId, groups, peers);
                return true;
            },
            cancellationToken);
        StorageLog.Bootstrapped(_log, clusterId, peers.Count);
    }

    /// <summary>The storage id of one peer; null: it has no row here.</summary>
    /// <exception cref="CorruptRowException">The peer's identity is damaged.</exception>
    internal Task<Guid?> FindPeerAsync(PeerKey key, CancellationToken cancellationToken) =>
        _connections.UseAsync(connection => ClusterStore.FindPeerAsync(connection, key), cancellationToken);

    /// <summary>Makes the database a silo's, unless it belongs to somebody already.</summary>
    /// <returns>Whose it is; null: it holds a cluster, and is no silo's.</returns>
    /// <exception cref="CorruptRowException">The silo's row is damaged.</exception>
    internal Task<StoredSilo?> ClaimForSiloAsync(string siloId, CancellationToken cancellationToken) =>
        _connections.UseAsync(connection => SiloStore.ClaimAsync(connection, siloId), cancellationToken);

    /// <summary>Null: it is no silo's.</summary>
    internal Task<StoredSilo?> ReadSiloAsync(CancellationToken cancellationToken) =>
        _connections.UseAsync(SiloStore.ReadAsync, cancellationToken);

    /// <summary>Whether there are peers, and none knows of a term after the first.</summary>
    internal Task<bool> IsUntouchedAsync(Term first, CancellationToken cancellationToken) =>
        _connections.UseAsync(connection => ClusterStore.IsUntouchedAsync(connection, first), cancellationToken);

    /// <summary>
    /// As <see cref="BootstrapAsync"/>, for the peers of a silo, one of each group; its bootstrap in the same transaction.
    /// </summary>
    internal async Task BootstrapSiloAsync(
        Guid clusterId, IReadOnlyList<NewPeer> peers, StoredSilo silo, CancellationToken cancellationToken)
    {
        await _connections.UseAsync(
            async connection =>
            {
                await ClusterStore.BootstrapAsync(connection, clusterId, groups: peers.Count, peers, silo);
                return true;
            },
            cancellationToken);
        StorageLog.Bootstrapped(_log, clusterId, peers.Count);
    }

    /// <summary>
    /// Writes the rows of a peer that is new in its group, and knows nothing yet (rule 1). If it throws anything else
    /// than what is named here, it may have happened: ask again, with the same <paramref name="storageId"/>.
    /// </summary>
    /// <param name="storageId">Random, as listed in the replicated configuration.</param>
    /// <param name="blankSnapshot">A state that has applied nothing: stored at index 0, term 0.</param>
    /// <exception cref="PeerExistsException">The peer has a row; nothing was changed.</exception>
    public Task AddPeerAsync(
        PeerKey key, Guid storageId, ReadOnlyMemory<byte> blankSnapshot, CancellationToken cancellationToken) =>
        AddPeerAsync(key, storageId, blankSnapshot, addition: null, cancellationToken);

    /// <param name="addition">What the peer is for, written together with the rows; null: nobody says.</param>
    /// <param name="joins">The database is a silo's and takes part in this cluster from here on; null: it does already.</param>
    internal async Task AddPeerAsync(
        PeerKey key, Guid storageId, ReadOnlyMemory<byte> blankSnapshot, PeerAddition? addition,
        CancellationToken cancellationToken, JoiningCluster? joins = null)
    {
        var peer = new NewPeer(key, storageId, default, SnapshotIndex: 0, SnapshotTerm: default, blankSnapshot);
        await _connections.UseAsync(connection => PeerRows.AddAsync(connection, peer, addition, joins), cancellationToken);
        StorageLog.PeerAdded(_log, key, storageId);
    }

    /// <summary>Says what a peer is for whose rows are there already, without a word of it.</summary>
    internal Task WriteAdditionAsync(PeerAddition addition, CancellationToken cancellationToken) => _connections.UseAsync(
        async connection =>
        {
            await PeerAdditions.WriteAsync(connection, addition);
            return true;
        },
        cancellationToken);

    /// <summary>What peers were added for in a group, whatever has come of it; in the order of peer ids.</summary>
    internal Task<IReadOnlyList<PeerAddition>> ReadAdditionsAsync(int group, CancellationToken cancellationToken) =>
        _connections.UseAsync(connection => PeerAdditions.ReadAsync(connection, group), cancellationToken);

    /// <summary>As the other one, of all groups at once.</summary>
    internal Task<IReadOnlyList<PeerAddition>> ReadAdditionsAsync(CancellationToken cancellationToken) =>
        _connections.UseAsync(connection => PeerAdditions.ReadAsync(connection, group: null), cancellationToken);

    /// <summary>
    /// Deletes all that is stored of a peer that has left its group; its id never comes back (rule 1). Idempotent: if it
    /// throws, ask again.
    /// </summary>
    /// <param name="storageId">Of the peer that has left: another one may have been given its id here.</param>
    /// <returns>False: the row is another peer's; nothing was changed.</returns>
    public async Task<bool> RemovePeerAsync(PeerKey key, Guid storageId, CancellationToken cancellationToken)
    {
        bool isRemoved = await _connections.UseAsync(
            connection => PeerRows.RemoveAsync(connection, key, storageId), cancellationToken);
        if (isRemoved)
            StorageLog.PeerRemoved(_log, key);
        return isRemoved;
    }

    internal Task<DatabaseMoment> ReadMomentAsync(CancellationToken cancellationToken) =>
        _connections.UseAsync(ServerHistory.ReadMomentAsync, cancellationToken);

    /// <summary>Takes the peer over from whoever has it (rule 2).</summary>
    public Task<ActivationResult> ActivateAsync(PeerKey key, string owner, CancellationToken cancellationToken) =>
        _activations.ActivateAsync(key, owner, cancellationToken);

    /// <summary>
    /// After a write that did not commit for certain: settles it, and goes on unless another took over (rule 4). After
    /// Unavailable, ask again with the same arguments.
    /// </summary>
    /// <param name="epoch">The activation's, as last returned.</param>
    /// <param name="acknowledgedWriteSeq">Of its last write that committed, or as loaded.</param>
    public Task<ActivationResult> ReactivateAsync(
        PeerKey key, long epoch, long acknowledgedWriteSeq, string owner, CancellationToken cancellationToken) =>
        _activations.ReactivateAsync(key, epoch, acknowledgedWriteSeq, owner, cancellationToken);

    /// <summary>
    /// Never cancelled; faults are outcomes. Gathered with other peers' writes into one statement (rule 3).
    /// </summary>
    /// <exception cref="InvalidOperationException">The peer has a write in flight.</exception>
    /// <exception cref="ArgumentException">The write contradicts itself.</exception>
    public Task<WriteOutcome> WriteAsync(PeerWrite write) => _writer.WriteAsync(write);

    /// <summary>Unfenced and idempotent (rule 8). False: not known to be durable, try again.</summary>
    /// <param name="chunk">Counted from 0.</param>
    /// <param name="data">At most <see cref="SnapshotPointer.ChunkBytes"/>.</param>
    public async Task<bool> WriteSnapshotChunkAsync(
        PeerKey key, long epoch, long snapshotId, int chunk, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, SnapshotPointer.ChunkBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        try
        {
            return await _connections.UseAsync(
                connection => SnapshotChunks.WriteAsync(connection, key, epoch, snapshotId, chunk, data),
                cancellationToken);
        }
        catch (Exception e) when (DatabaseConnections.IsFault(e))
        {
            StorageLog.ChunkNotWritten(_log, key, snapshotId, chunk, e.Message);
            return false;
        }
    }

    /// <summary>
    /// Removes chunks that nobody can switch to any more; never <paramref name="keep"/>, never those that the row
    /// points at, never what the current activation is still writing. A fault is logged: the next time removes what
    /// is left.
    /// </summary>
    public async Task DeleteSnapshotsExceptAsync(PeerKey key, SnapshotPointer keep, CancellationToken cancellationToken)
    {
        try
        {
            await _connections.UseAsync(
                connection => SnapshotChunks.DeleteGarbageAsync(connection, key, keep), cancellationToken);
        }
        catch (Exception e) when (DatabaseConnections.IsFault(e))
        {
            StorageLog.GarbageNotDeleted(_log, key, e.Message);
        }
    }

    /// <summary>By a SELECT that began after this call; all who wait share it (rule 6). Null: unavailable.</summary>
    public Task<EpochReading?> ReadEpochsAsync() => _epochs.ReadAsync();

    /// <summary>Finishes the writes that wait; later ones fail.</summary>
    public async ValueTask DisposeAsync()
    {
        await _monitor.DisposeAsync();
        await _writer.DisposeAsync();
        await _epochs.DisposeAsync();
        await _connections.DisposeAsync();
    }
}
