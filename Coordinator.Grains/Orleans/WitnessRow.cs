using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Orleans;

/// <summary>The row of one peer's storage in the <see cref="WitnessTable"/>; waits for its database however long that takes.</summary>
internal sealed class WitnessRow(WitnessTable table, PeerKey key, Guid storageId) : IWitness
{
    public Task<StorageWitness?> ReadAsync(CancellationToken cancellationToken) =>
        table.ReadAsync(key, storageId, cancellationToken);

    /// <summary>Below whatever an activation has written, so that this stays.</summary>
    public Task PrepareAsync(DatabaseMoment moment, CancellationToken cancellationToken) =>
        WriteAsync(new StorageWitness(new StorageMark(storageId, 0, 0), moment), cancellationToken);

    public Task<StorageMark> WriteAsync(StorageWitness witness, CancellationToken cancellationToken) =>
        table.WriteAsync(key, witness, cancellationToken);

    public Task DeleteAsync(CancellationToken cancellationToken) => table.DeleteAsync(key, storageId, cancellationToken);
}
