using Coordinator.Contracts;
using Coordinator.Grains.Backup;

namespace Coordinator.Tests.Backup;

/// <summary>Which files make a cluster, and where it begins.</summary>
public sealed class ClusterRestoreTests
{
    private const int Groups = 3;
    private static readonly Guid Cluster = Guid.NewGuid();
    private static readonly SnapshotFile[] Files = [.. Enumerable.Range(0, Groups).Select(group => Of(group))];

    [Fact]
    public void All_groups_of_one_cluster_make_another_in_whatever_order_they_are_given()
    {
        ClusterRestore restore = new() { Files = [Files[2], Files[0], Files[1]] };
        Assert.Null(restore.Problem(Groups));
        Assert.Equal([0, 1, 2], restore.Files.Select(file => file.Header.Group));
    }

    [Fact]
    public void What_is_missing_or_there_twice_or_too_much_is_named()
    {
        Assert.Contains("group 1 is missing", Problem(Groups, Files[0], Files[2]), StringComparison.Ordinal);
        Assert.Contains("groups 1, 2 are missing", Problem(Groups, Files[0]), StringComparison.Ordinal);
        Assert.Contains("group 2 is there 2 times", Problem(Groups, [.. Files, Of(2, isHeld: true)]), StringComparison.Ordinal);
        Assert.Contains("groups 1, 2 are there too, and Coordinator:Groups is 1", Problem(1, Files), StringComparison.Ordinal);
        Assert.Contains("group 0 is missing", Problem(1, Files[1]), StringComparison.Ordinal);
        Guid other = Guid.NewGuid();
        string clusters = Problem(Groups, Files[0], Of(1, other), Files[2])!;
        Assert.Contains($"{Cluster}", clusters, StringComparison.Ordinal);
        Assert.Contains($"{other}", clusters, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_a_cluster_with_more_groups_are_refused_though_they_are_as_many_as_wanted()
    {
        string key = Enumerable.Range(0, int.MaxValue).Select(i => $"ns{i}/colour")
            .First(name => Group(name, 2) == 1 && Group(name, Groups) == 0);
        SnapshotFile first = SavedStates.FileOf(0, Cluster, key);
        Assert.Null(Problem(Groups, first, Files[1], Files[2]));
        Assert.Contains($"\"{key}\"", Problem(2, first, Files[1]), StringComparison.Ordinal);
    }

    [Fact]
    public void It_begins_above_all_files_the_clock_and_the_floor()
    {
        long highest = Files.Max(file => Math.Max(file.Header.Index, file.Header.Revision));
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddSeconds(2);
        Assert.Equal(highest + 1, new ClusterRestore { Files = Files }.StartAt(DateTimeOffset.UnixEpoch));
        Assert.Equal(2_000_000, new ClusterRestore { Files = Files }.StartAt(now));
        Assert.Equal(2_000_001, new ClusterRestore { Files = Files, Floor = 2_000_001 }.StartAt(now));
        Assert.Contains("--floor", new ClusterRestore { Files = Files, Floor = long.MaxValue }.Problem(Groups), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_may_be_granted_before_a_holder_in_any_file_can_have_noticed()
    {
        SnapshotFile[] files = [Files[0], Files[1], Of(2, isHeld: true)];
        Assert.Null(new ClusterRestore { Files = files }.Problem(Groups));
        Assert.Null(new ClusterRestore { Files = files, HoldBack = TimeSpan.FromSeconds(10) }.Problem(Groups));
        Assert.Contains(
            "a holder in group 2", new ClusterRestore { Files = files, HoldBack = TimeSpan.FromSeconds(9.9) }.Problem(Groups),
            StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1), ClusterRestore.LongestHold);
    }

    private static string? Problem(int groups, params SnapshotFile[] files) => new ClusterRestore { Files = files }.Problem(groups);

    private static int Group(string name, int groups) => GroupOfName.Of(name, groups);

    private static SnapshotFile Of(int group, Guid? cluster = null, bool isHeld = false) =>
        SavedStates.FileOf(group, cluster ?? Cluster, SavedStates.KeyOf(group, Groups), isHeld: isHeld);
}
