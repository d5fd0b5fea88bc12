using Coordinator.Raft.Quorum;
using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Membership;

/// <summary>
/// Computes what a membership change makes of a configuration: at once, into a joint one, or out of it (Raft §6).
/// The tracker is left alone. Invariant: a configuration that isn't refused is a valid one.
/// </summary>
internal readonly struct MembershipChanger(ProgressTracker tracker, long lastIndex)
{
    /// <summary>The outcome of any change, by what it asks for.</summary>
    public MembershipOutcome Apply(ConfChangeV2 change) =>
        change.LeavesJoint ? LeaveJoint()
        : SeededRaftBugs.Planted == SeededRaftBug.SeveralVotersAtOnce ? Checked(Changed(change.Changes))
        : change.EntersJoint ? EnterJoint(change.AutoLeaves, change.Changes)
        : Simple(change.Changes);

    /// <summary>At once: at most one voter may change.</summary>
    public MembershipOutcome Simple(IReadOnlyList<ConfChangeSingle> changes)
    {
        if (tracker.Configuration.IsJoint)
        {
            return MembershipRefusal.SimpleWhileJoint;
        }

        MembershipDraft draft = Changed(changes);
        if (draft.Incoming.IsEmpty)
        {
            return MembershipRefusal.RemovesAllVoters;
        }

        MajorityConfig before = tracker.Configuration.Voters.Incoming;
        return CountMissing(before, draft.Incoming) + CountMissing(draft.Incoming, before) > 1
            ? MembershipRefusal.SeveralVotersAtOnce
            : Checked(draft);
    }

    /// <summary>
    /// Into a joint configuration: the present voters become the outgoing half, beside the changed ones.
    /// </summary>
    public MembershipOutcome EnterJoint(bool autoLeave, IReadOnlyList<ConfChangeSingle> changes)
    {
        if (tracker.Configuration.IsJoint)
        {
            return MembershipRefusal.AlreadyJoint;
        }

        if (tracker.Configuration.Voters.Incoming.IsEmpty)
        {
            return MembershipRefusal.NoVoterToJoin;
        }

        MembershipDraft draft = Changed(changes, joint: true);
        draft.AutoLeave = autoLeave;
        return draft.Incoming.IsEmpty ? MembershipRefusal.RemovesAllVoters : Checked(draft);
    }

    /// <summary>Out of a joint configuration: the incoming half decides alone.</summary>
    public MembershipOutcome LeaveJoint()
    {
        if (!tracker.Configuration.IsJoint)
        {
            return MembershipRefusal.NotJoint;
        }

        MembershipDraft draft = new(tracker, lastIndex);
        draft.LeaveJoint();
        return Checked(draft);
    }

    /// <summary>The configuration that a ConfState describes, all progress fresh. The tracker must be empty.</summary>
    public MembershipOutcome Restore(ConfState state)
    {
        MembershipDraft draft = new(tracker, lastIndex);
        ApplyAll(draft, state.VotersOutgoing, ConfChangeType.AddNode);
        if (state.VotersOutgoing.Count > 0)
        {
            draft.CopyIncomingToOutgoing();
        }

        ApplyAll(draft, state.VotersOutgoing, ConfChangeType.RemoveNode);
        ApplyAll(draft, state.Voters, ConfChangeType.AddNode);
        ApplyAll(draft, state.Learners, ConfChangeType.AddLearnerNode);
        ApplyAll(draft, state.LearnersNext, ConfChangeType.AddLearnerNode);
        draft.AutoLeave = state.AutoLeave;
        MembershipOutcome.Changed restored = Checked(draft);
        Invariant.Require(
            IsSame(restored.Configuration, state), $"a stored membership contradicts itself: {restored.Configuration}");
        return restored;
    }

    private static bool IsSame(Configuration configuration, ConfState state) =>
        configuration.Voters.Incoming.Equals(MajorityConfig.From(state.Voters))
        && configuration.Voters.Outgoing.Equals(MajorityConfig.From(state.VotersOutgoing))
        && configuration.Learners.Equals(MajorityConfig.From(state.Learners))
        && configuration.LearnersNext.Equals(MajorityConfig.From(state.LearnersNext));

    private static void ApplyAll(MembershipDraft draft, IReadOnlyList<PeerId> peers, ConfChangeType type)
    {
        foreach (PeerId peer in peers)
        {
            draft.Apply(new ConfChangeSingle(type, peer));
        }
    }

    private static int CountMissing(MajorityConfig of, MajorityConfig from)
    {
        int missing = 0;
        foreach (PeerId id in of)
        {
            missing += from.Contains(id) ? 0 : 1;
        }

        return missing;
    }

    private static MembershipOutcome.Changed Checked(MembershipDraft draft)
    {
        Configuration configuration = draft.ToConfiguration();
        MembershipRules.Require(configuration, draft.Peers);
        return new MembershipOutcome.Changed(configuration, draft.Peers);
    }

    private MembershipDraft Changed(IReadOnlyList<ConfChangeSingle> changes, bool joint = false)
    {
        MembershipDraft draft = new(tracker, lastIndex);
        if (joint)
        {
            draft.CopyIncomingToOutgoing();
        }

        foreach (ConfChangeSingle change in changes)
        {
            draft.Apply(change);
        }

        return draft;
    }
}
