using Coordinator.Contracts;

namespace Coordinator.Grains;

/// <summary>
/// What a silo is told to restore, beside what another silo or a cluster says. Invariant: a silo takes part only in what its
/// own operator has asked for; what differs is said in so many words.
/// </summary>
internal static class RestoreAgreement
{
    /// <summary>Why these two found nothing together; null: they do.</summary>
    public static string? Between(string silo, RestoreOrder? theirs, RestoreOrder? own) =>
        Difference(theirs, own) is { } differs
            ? $"Silo {silo} is to restore {differs.Theirs}, this one {differs.Own}: start all silos with the same snapshot files, "
                + "--floor and --hold-back, or all without."
            : null;

    /// <summary>Why a silo has no place in a cluster that is founded; null: it has.</summary>
    /// <param name="isListed">It is to make its own first peers; otherwise it goes on without, and needs no file for it.</param>
    public static string? With(ClusterBootstrap cluster, RestoreOrder? own, bool isListed)
    {
        var id = new Guid(cluster.ClusterId.Span);
        if (own is null)
        {
            return cluster.Restore is { } restore && isListed
                ? $"Cluster {id} is being made of snapshot files, {Describe(restore)}, and this silo has yet to make its part of the same: "
                    + "start it with --restore and them, and the same --floor and --hold-back as the others."
                : null;
        }
        return Difference(cluster.Restore, own) is { } differs
            ? $"There is cluster {id} already, which has restored {differs.Theirs}, and this silo is to restore {differs.Own}. To be one of "
                + "that cluster it starts as the others did; a snapshot is restored into empty databases, on all silos."
            : null;
    }

    /// <summary>What a silo without the files waits for: others have to finish what was begun.</summary>
    /// <param name="databases">Those that have no peers yet.</param>
    public static string Lacking(ClusterBootstrap cluster, IEnumerable<string> databases) =>
        $"Cluster {new Guid(cluster.ClusterId.Span)} is being made of snapshot files, {Describe(cluster.Restore)}, and has no peers yet in "
        + $"{string.Join(", ", databases)}: this silo waits for one that is started with --restore and them, and the same --floor and "
        + "--hold-back as the first.";

    /// <summary>In the words in which they differ; null: they are the same.</summary>
    private static (string Theirs, string Own)? Difference(RestoreOrder? theirs, RestoreOrder? own)
    {
        if (theirs is null || own is null)
            return theirs == own ? null : (Describe(theirs), Describe(own));
        // The number of groups is compared before.
        for (int group = 0; group < Math.Min(theirs.Files.Count, own.Files.Count); group++)
        {
            if (!theirs.Files[group].Equals(own.Files[group]))
                return (Describe(theirs, group), Describe(own, group));
        }
        if (theirs.Floor != own.Floor)
            return ($"with --floor {theirs.Floor}", $"with --floor {own.Floor}");
        return theirs.HoldBackUs == own.HoldBackUs ? null : (HeldBack(theirs), HeldBack(own));
    }

    private static string Describe(RestoreOrder? order, int group = 0) => order is null
        ? "nothing"
        : $"group {group} of the file with sha256 {Convert.ToHexStringLower(order.Files[group].Span)}";

    private static string HeldBack(RestoreOrder order) => $"with --hold-back {TimeSpan.FromMicroseconds(order.HoldBackUs)}";
}
