namespace Coordinator.Raft.Log;

/// <summary>Handing committed entries out, and hearing that they are applied.</summary>
internal sealed partial class RaftLog
{
    /// <summary>
    /// There are committed entries to hand out; none while a snapshot waits, which must be applied first.
    /// </summary>
    public bool HasEntriesToApply =>
        !Apply.Paused && Unstable.Snapshot is null && Apply.Applying < LastAppliable;

    private long LastAppliable => _applyRule switch
    {
        ApplyRule.WhenStable => Math.Min(Committed, Unstable.First - 1),
        ApplyRule.MembershipWhenStable => Math.Min(Committed, Unstable.LastBeforeConfChange),
        _ => Committed,
    };

    public EntrySlice EntriesToApply()
    {
        if (!HasEntriesToApply)
        {
            return EntrySlice.Empty;
        }

        Invariant.Require(Apply.Room > 0, $"applying isn't paused, yet {Apply.Room} bytes may be handed out");
        return Slice(Apply.Applying + 1, LastAppliable + 1, Apply.Room);
    }

    /// <summary>What <see cref="EntriesToApply"/> gave has been handed out.</summary>
    public void AcceptApplying(EntrySlice entries)
    {
        if (!entries.IsEmpty)
        {
            Apply.Started(entries, LastAppliable);
        }
    }

    public void AppliedTo(long index, long bytes)
    {
        Invariant.Require(
            index <= Committed && index >= Applied, $"applied {index} is not in [{Applied}, {Committed}]");
        Apply.Finished(index, bytes);
    }
}
