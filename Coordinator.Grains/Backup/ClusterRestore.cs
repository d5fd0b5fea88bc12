using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains.Backup;

/// <summary>What a new cluster is made of, if not of nothing (rule 19): a file for each of its groups.</summary>
public sealed record ClusterRestore
{
    /// <summary>In the order of their groups, however they are given.</summary>
    public required IReadOnlyList<SnapshotFile> Files
    {
        get;
        init => field = [.. value.OrderBy(file => file.Header.Group)];
    }

    /// <summary>Log index and revision of each group begin here at the lowest: the operator knows of a higher one than the files.</summary>
    public long Floor { get; init; }

    /// <summary>For how long nothing is granted; null: as long as any holder that a group may have had can act on what it had.</summary>
    public TimeSpan? HoldBack { get; init; }

    /// <summary>
    /// After a file was written, sessions and leases with any TTL that is allowed may have begun, so the file's own
    /// longest one says nothing. An operator who knows better may say so.
    /// </summary>
    public static TimeSpan LongestHold => Contracts.Limits.TtlMax + Contracts.Limits.LockDelayMax;

    internal long HoldBackUs => (long)(HoldBack ?? LongestHold).TotalMicroseconds;

    /// <summary>Null: a cluster of so many groups can be made of it; otherwise why not.</summary>
    public string? Problem(int groups) => Incomplete(groups) ?? Files.Select(file => Foreign(file, groups)).FirstOrDefault(Is)
        ?? (Floor > RestoredState.StartMax
            ? $"the floor {Floor} is above {RestoredState.StartMax}: correct --floor, or leave it out"
            : Files.Select(Unfit).FirstOrDefault(Is));

    /// <summary>
    /// Where all groups begin: above all that any of those before can have given out, which have no more than an entry a
    /// microsecond.
    /// </summary>
    internal long StartAt(DateTimeOffset now) => Math.Max(
        Files.Max(file => Math.Max(file.Header.Index, file.Header.Revision)) + 1,
        Math.Max(now.ToUnixTimeMilliseconds() * 1000, Floor));

    internal CoordinationState Make(GroupMembership membership, long start, Term term) =>
        RestoredState.Of(Files[membership.Group].State, membership, start, term, HoldBackUs);

    private static bool Is(string? problem) => problem is not null;

    /// <summary>They have to be all groups of one cluster, each once.</summary>
    private string? Incomplete(int groups)
    {
        if (Files.Select(file => file.Header.ClusterId).Distinct().ToArray() is { Length: > 1 } clusters)
            return $"its files are of {clusters.Length} clusters: {string.Join(", ", clusters)}";
        int[] there = [.. Files.Select(file => file.Header.Group)];
        if (there.GroupBy(group => group).FirstOrDefault(same => same.Count() > 1) is { } twice)
            return $"group {twice.Key} is there {twice.Count()} times: leave one file of it";
        if (Enumerable.Range(0, groups).Except(there).ToArray() is { Length: > 0 } missing)
            return $"{NamesOf(missing)} missing, and Coordinator:Groups is {groups}: there has to be a file of each group of the cluster before";
        return there.Where(group => group >= groups).ToArray() is { Length: > 0 } more
            ? $"{NamesOf(more)} there too, and Coordinator:Groups is {groups}: it has to be as many as the cluster before had"
            : null;
    }

    /// <summary>With another number of groups names would be looked for where their state is not (rule 21).</summary>
    private static string? Foreign(SnapshotFile file, int groups) =>
        StateContents.KeyOfOtherGroup(file.State, groups) is { } key
            ? $"\"{key}\" in the file of group {file.Header.Group} belongs to another of {groups} groups: the cluster before had another "
                + "number of them. Set Coordinator:Groups to that"
            : null;

    private string? Unfit(SnapshotFile file)
    {
        var longest = TimeSpan.FromMicroseconds(StateContents.Of(file.State).LongestHoldUs);
        return Math.Max(file.Header.Index, file.Header.Revision) >= RestoredState.StartMax
            ? $"index {file.Header.Index} or revision {file.Header.Revision} of group {file.Header.Group} leaves no room for another group's"
            : HoldBack < longest
                ? $"a holder in group {file.Header.Group} may act on what it holds for {longest}, and grants would be held back for {HoldBack} "
                    + "only: correct --hold-back, or leave it out"
            : null;
    }

    private static string NamesOf(int[] groups) => groups is [var only]
        ? $"group {only} is"
        : $"groups {string.Join(", ", groups.Take(10))}{(groups.Length > 10 ? $" and {groups.Length - 10} more" : "")} are";
}
