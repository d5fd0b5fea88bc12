namespace Coordinator.Replica.Storage;

/// <summary>Where a database's own history stands.</summary>
/// <param name="System">PostgreSQL's system identifier: of the cluster of databases, given by initdb.</param>
/// <param name="Timeline">Another one begins with each promotion and each recovery to a point in time.</param>
/// <param name="Lsn">A position of its write-ahead log that is certainly reached, and at the latest flushed.</param>
public readonly record struct DatabaseMoment(long System, long Timeline, long Lsn)
{
    /// <summary>The same history, gone on. False says nothing bad: a fail-over without a loss is another timeline too.</summary>
    public bool Continues(DatabaseMoment earlier) =>
        System == earlier.System && Timeline == earlier.Timeline && Lsn >= earlier.Lsn;
}
