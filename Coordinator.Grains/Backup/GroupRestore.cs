using Coordinator.Replica.State;

namespace Coordinator.Grains.Backup;

/// <summary>What a new group is made of, if not of nothing (rule 19).</summary>
public sealed record GroupRestore
{
    public required SnapshotFile File { get; init; }

    /// <summary>Log index and revision begin here at the lowest: the operator knows of a higher one than the file.</summary>
    public long Floor { get; init; }

    /// <summary>For how long nothing is granted; null: as long as any holder that the group may have had can act on what it had.</summary>
    public TimeSpan? HoldBack { get; init; }

    /// <summary>
    /// After the file was written, sessions and leases with any TTL that is allowed may have begun, so the file's own
    /// longest one says nothing. An operator who knows better may say so.
    /// </summary>
    public static TimeSpan LongestHold => Contracts.Limits.TtlMax + Contracts.Limits.LockDelayMax;

    /// <summary>Null: it can be done; otherwise why not.</summary>
    public string? Problem()
    {
        var inFile = TimeSpan.FromMicroseconds(StateContents.Of(File.State).LongestHoldUs);
        return Floor > RestoredState.StartMax ? $"the floor {Floor} is above {RestoredState.StartMax}"
            : Math.Max(File.Header.Index, File.Header.Revision) >= RestoredState.StartMax
                ? $"its index {File.Header.Index} or revision {File.Header.Revision} leaves no room for another group's"
            : HoldBack < inFile
                ? $"a holder in it may act on what it holds for {inFile}, and grants would be held back for {HoldBack} only"
            : null;
    }

    /// <summary>Above all that the group before can have given out: it has no more than an entry a microsecond.</summary>
    internal long StartAt(DateTimeOffset now) => Math.Max(
        Math.Max(File.Header.Index, File.Header.Revision) + 1, Math.Max(now.ToUnixTimeMilliseconds() * 1000, Floor));

    internal CoordinationState Make(GroupMembership membership, Raft.Term term, DateTimeOffset now) => RestoredState.Of(
        File.State, membership, StartAt(now), term, (long)(HoldBack ?? LongestHold).TotalMicroseconds);
}
