namespace Coordinator.Grains.Storage;

/// <summary>What the last check of a database found (rule 7).</summary>
/// <param name="CheckedAt">When the last check that got an answer ended.</param>
/// <param name="Available">Whether the last check got an answer.</param>
/// <param name="Refusals">Settings under which nothing is written; empty when all is well.</param>
/// <param name="OldestSnapshotAge">Of any session in this database; null: none open.</param>
/// <param name="SnapshotAlarm">The oldest snapshot is over the option's age.</param>
public sealed record DatabaseHealth(
    DateTimeOffset CheckedAt,
    bool Available,
    IReadOnlyList<string> Refusals,
    TimeSpan? OldestSnapshotAge,
    bool SnapshotAlarm)
{
    /// <summary>PostgreSQL's system identifier: two databases with one are lost together. 0: not known yet.</summary>
    public long System { get; init; }
}
