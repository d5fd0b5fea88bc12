namespace Coordinator.Simulation.Storage;

/// <summary>Bugs that can be planted in the storage model, to prove that the invariants notice.</summary>
internal sealed record StoragePlants
{
    public static readonly StoragePlants None = new();

    /// <summary>The epoch is checked before the row is locked, by a plain EXISTS (rule 3).</summary>
    public bool FenceWithoutRowLock { get; init; }

    /// <summary>The fence checks the epoch, but not the number of the write (rule 3).</summary>
    public bool FenceWithoutWriteSeq { get; init; }

    /// <summary>UPDATE, INSERT and COMMIT pipelined: the entries land though the update touched no row (rule 3).</summary>
    public bool InsertsWithoutUpdate { get; init; }

    /// <summary>Re-activation only looks at the row instead of taking it (rule 4).</summary>
    public bool ReactivationOnlyLooks { get; init; }

    /// <summary>Re-activation doesn't ask whether the database went back in time (rule 4).</summary>
    public bool ReactivationIgnoresRollback { get; init; }

    /// <summary>Activation inserts a row where there is none (rule 1).</summary>
    public bool ActivationInserts { get; init; }

    /// <summary>A restart forgets the vote (Raft §5.2).</summary>
    public bool ForgetsVote { get; init; }

    /// <summary>A write is acknowledged before it has committed (rule 5).</summary>
    public bool AcknowledgesEarly { get; init; }

    /// <summary>A write of unknown outcome is reported as committed (rule 7: a cancelled wait answers success).</summary>
    public bool UnknownIsCommitted { get; init; }

    /// <summary>A conflicting tail stays where new entries don't cover it (rule 8).</summary>
    public bool KeepsConflictingTail { get; init; }
}
