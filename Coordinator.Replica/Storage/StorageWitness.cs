namespace Coordinator.Replica.Storage;

/// <summary>
/// What is kept of a peer's storage outside of its database: "the file beside the silo", which in the Orleans host is a row
/// beside the grain directory. Invariant: durable before the activation that it names says anything.
/// </summary>
/// <param name="Moment">Of the database, as that activation found it.</param>
/// <param name="Verdict">The storage was found to have gone back in time, and why; null: it was not.</param>
public sealed record StorageWitness(StorageMark Mark, DatabaseMoment Moment, string? Verdict = null)
{
    /// <summary>As a verdict names who has seen more than the storage has.</summary>
    public const string Title = "the witness that is kept apart from it";
}

/// <summary>What an activation is given to compare its storage with.</summary>
/// <param name="File">As it was read before the activation; null: there is none.</param>
public sealed record StorageEvidence(StorageWitness? File)
{
    /// <summary>An operator vouches for the database as it is: nothing is compared.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>The others store in the same database: what they have seen went back with it, and nobody is asked.</summary>
    public bool IsShared { get; init; }

    public bool AsksOthers => !IsTrusted && !IsShared;
}
