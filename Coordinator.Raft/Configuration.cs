using Coordinator.Raft.Quorum;

namespace Coordinator.Raft;

/// <summary>
/// Who is in the group, and how. Immutable. Invariant: no learner is a voter of either half; a staged learner
/// (<see cref="LearnersNext"/>) is a voter of the outgoing half; the latter and AutoLeave only while joint.
/// </summary>
public sealed record Configuration
{
    public static Configuration Empty { get; } = new();

    public JointConfig Voters { get; init; } = JointConfig.Empty;

    public MajorityConfig Learners { get; init; } = MajorityConfig.Empty;

    /// <summary>
    /// Voters of the outgoing half that become learners when the joint configuration is left: until then they still
    /// vote, and nobody may be both.
    /// </summary>
    public MajorityConfig LearnersNext { get; init; } = MajorityConfig.Empty;

    /// <summary>The leader leaves this joint configuration by itself.</summary>
    public bool AutoLeave { get; init; }

    public bool IsJoint => Voters.IsJoint;

    /// <summary>A voter of either half, or a learner.</summary>
    public bool Contains(PeerId id) => Voters.Contains(id) || Learners.Contains(id);

    public ConfState ToConfState() => new()
    {
        Voters = Voters.Incoming,
        VotersOutgoing = Voters.Outgoing,
        Learners = Learners,
        LearnersNext = LearnersNext,
        AutoLeave = AutoLeave,
    };

    public override string ToString() =>
        $"voters={Voters}"
        + (Learners.IsEmpty ? "" : $" learners={Learners}")
        + (LearnersNext.IsEmpty ? "" : $" learners_next={LearnersNext}")
        + (AutoLeave ? " autoleave" : "");
}
