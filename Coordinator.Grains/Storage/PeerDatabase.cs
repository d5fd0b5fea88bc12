using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Storage;

/// <summary>
/// One PostgreSQL database that holds peers. Thread-safe.
/// Invariant: what it says is committed was confirmed by the server without a warning.
/// </summary>
public sealed class PeerDatabase : IAsyncDisposable
{
    /// <summary>Connects, refuses unsafe settings (rule 7), migrates the schema.</summary>
    /// <exception cref="DatabaseRefusedException">Unsafe settings, a pooler in between, or a newer schema.</exception>
    public static Task<PeerDatabase> OpenAsync(
        PeerDatabaseOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    public DatabaseHealth Health => throw new NotImplementedException();

    /// <summary>Raised after every check whose finding differs from the one before.</summary>
    public event Action<DatabaseHealth>? HealthChanged;

    /// <summary>Null when no cluster was ever bootstrapped here.</summary>
    public Task<StoredCluster?> ReadClusterAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Writes cluster and peers in one transaction (rule 1).</summary>
    /// <exception cref="AlreadyBootstrappedException">A cluster or a peer is there.</exception>
    public Task BootstrapAsync(
        Guid clusterId, int groups, IReadOnlyList<NewPeer> peers, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Takes the peer over from whoever has it (rule 2).</summary>
    public Task<ActivationResult> ActivateAsync(PeerKey key, string owner, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>After a write that did not commit for certain: settles it, and goes on unless another took over (rule 4).</summary>
    /// <param name="epoch">The activation's, as last returned.</param>
    /// <param name="acknowledgedWriteSeq">Of its last write that committed, or as loaded.</param>
    public Task<ActivationResult> ReactivateAsync(
        PeerKey key, long epoch, long acknowledgedWriteSeq, string owner, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Never cancelled; faults are outcomes. Gathered with other peers' writes into one statement (rule 3).</summary>
    /// <exception cref="InvalidOperationException">The peer has a write in flight.</exception>
    /// <exception cref="ArgumentException">The write contradicts itself.</exception>
    public Task<WriteOutcome> WriteAsync(PeerWrite write) => throw new NotImplementedException();

    /// <summary>Unfenced and idempotent (rule 8). False: not known to be durable, try again.</summary>
    public Task<bool> WriteSnapshotChunkAsync(
        PeerKey key, long epoch, long snapshotId, int chunk, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Removes chunks that nobody can switch to any more; never <paramref name="keep"/>, never those of the
    /// row's own pointer, never what the current activation is still writing.</summary>
    public Task DeleteSnapshotsExceptAsync(PeerKey key, SnapshotPointer keep, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>By a SELECT that began after this call; all who wait share it (rule 6). Null: unavailable.</summary>
    public Task<EpochReading?> ReadEpochsAsync() => throw new NotImplementedException();

    public ValueTask DisposeAsync()
    {
        HealthChanged?.Invoke(Health);
        return ValueTask.CompletedTask;
    }
}
