using Coordinator.Replica.Storage;

namespace Coordinator.Grains.Storage;

/// <summary>
/// What is kept of one peer's storage apart from its database (rule 4): in a file beside the silo, or, where peers go from
/// silo to silo, in a row that all of them reach. Invariant: when a write ends, what the witness holds is durable, and no
/// less than before.
/// </summary>
internal interface IWitness
{
    /// <summary>Null: there is none, and nothing is known.</summary>
    /// <exception cref="CorruptRowException">It is not as it was written: it may have said what can't be read any more.</exception>
    Task<StorageWitness?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Before anything is stored of the peer. What is known already stays.</summary>
    /// <param name="moment">Of the peer's database.</param>
    Task PrepareAsync(DatabaseMoment moment, CancellationToken cancellationToken);

    /// <returns>
    /// What it holds now: the mark that it was given, unless that doesn't cover what another activation has written.
    /// </returns>
    Task<StorageMark> WriteAsync(StorageWitness witness, CancellationToken cancellationToken);

    /// <summary>Of a peer that does not come back, or of what an operator overrules. Idempotent.</summary>
    Task DeleteAsync(CancellationToken cancellationToken);
}
