using Coordinator.Raft.Membership;
using Coordinator.Raft.Tracker;

namespace Coordinator.Raft;

/// <summary>A group's membership. Joint while <see cref="VotersOutgoing"/> is not empty (Raft §6).</summary>
public sealed record ConfState
{
    public IReadOnlyList<PeerId> Voters { get; init; } = [];
    public IReadOnlyList<PeerId> Learners { get; init; } = [];

    /// <summary>The outgoing half of a joint configuration.</summary>
    public IReadOnlyList<PeerId> VotersOutgoing { get; init; } = [];

    /// <summary>Voters of the outgoing half that become learners when the joint configuration is left.</summary>
    public IReadOnlyList<PeerId> LearnersNext { get; init; } = [];

    /// <summary>The leader leaves the joint configuration by itself once it is applied.</summary>
    public bool AutoLeave { get; init; }

    /// <summary>A voter of either half, or a learner; staged learners are voters of the outgoing half.</summary>
    public bool Contains(PeerId id) =>
        Voters.Contains(id) || VotersOutgoing.Contains(id) || Learners.Contains(id);

    /// <summary>What a change makes of this, for whoever keeps memberships beside a log.</summary>
    /// <returns>Null: it can't be applied to this; see <paramref name="refusal"/>.</returns>
    /// <exception cref="RaftInvariantException">This contradicts itself.</exception>
    public ConfState? TryApply(ConfChangeV2 change, out string? refusal)
    {
        ArgumentNullException.ThrowIfNull(change);
        var tracker = new ProgressTracker(maxInflightMessages: 1, maxInflightBytes: 0);
        if (new MembershipChanger(tracker, lastIndex: 0).Restore(this) is MembershipOutcome.Changed present)
            tracker.Switch(present.Configuration, present.Peers);
        MembershipOutcome outcome = new MembershipChanger(tracker, lastIndex: 0).Apply(change);
        refusal = (outcome as MembershipOutcome.Refused)?.Reason.ToString();
        return (outcome as MembershipOutcome.Changed)?.Configuration.ToConfState();
    }

    public bool Equals(ConfState? other) =>
        other is not null
        && AutoLeave == other.AutoLeave
        && Voters.SequenceEqual(other.Voters)
        && Learners.SequenceEqual(other.Learners)
        && VotersOutgoing.SequenceEqual(other.VotersOutgoing)
        && LearnersNext.SequenceEqual(other.LearnersNext);

    public override int GetHashCode() => Voters.Count;
}
