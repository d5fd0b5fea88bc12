using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>
/// A group made anew from what another one was (rule 19). Invariant: its first index and its revision are above all that
/// the other one can have given out, everything before is compacted, and nothing is granted until whoever held something
/// in the other one must have noticed.
/// </summary>
public static class RestoredState
{
    /// <summary>Room for more entries than a group will ever have.</summary>
    public const long StartMax = long.MaxValue / 2;

    /// <param name="saved">Stays as it is; both share their records, which nobody changes.</param>
    /// <param name="membership">Of the new group: another cluster, other storage.</param>
    /// <param name="start">The first index and the revision of the new group.</param>
    /// <param name="holdBackUs">For how long nothing is granted, in log time.</param>
    public static CoordinationState Of(
        CoordinationState saved, GroupMembership membership, long start, Term term, long holdBackUs)
    {
        ArgumentNullException.ThrowIfNull(saved);
        ArgumentNullException.ThrowIfNull(membership);
        ArgumentOutOfRangeException.ThrowIfNegative(holdBackUs);
        if (start <= Math.Max(saved.AppliedIndex, saved.Revision) || start > StartMax)
        {
            throw new ArgumentOutOfRangeException(
                nameof(start), start, $"Not between {Math.Max(saved.AppliedIndex, saved.Revision) + 1} and {StartMax}.");
        }
        var state = new CoordinationState(saved.Settings, membership, new StateOrigin
        {
            Index = start,
            Term = term,
            CompactedRevision = start,
            Revision = start,
            LogTimeUs = saved.LogTimeUs,
            Hash = saved.Hash,
            FeatureLevel = Math.Max(saved.FeatureLevel, FeatureLevels.GrantsHeldBack),
        });
        SortedBlocks<string, ConfigRecord, OrdinalOrder>.Cursor records = saved.Config.Records.All();
        while (records.MoveNext())
        {
            // What is bound to a session ends with it.
            if (records.Current.SessionId == 0)
                state.Config.Restore(records.Key, records.Current);
        }
        state.ForcedReleases.StartAt(saved.ForcedReleases.FirstNumber);
        foreach (ForcedReleaseRecord record in saved.ForcedReleases.Records)
            state.ForcedReleases.Add(record);
        if (holdBackUs > 0)
            state.Holdings.HoldBack(ApplyContext.After(saved.LogTimeUs, holdBackUs));
        return state;
    }
}
