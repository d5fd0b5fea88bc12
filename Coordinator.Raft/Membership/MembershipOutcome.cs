using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Membership;

/// <summary>What a change makes of a configuration.</summary>
internal abstract record MembershipOutcome
{
    private MembershipOutcome()
    {
    }

    public static implicit operator MembershipOutcome(MembershipRefusal reason) => new Refused(reason);

    public sealed record Changed(Configuration Configuration, ProgressMap Peers) : MembershipOutcome;

    public sealed record Refused(MembershipRefusal Reason) : MembershipOutcome;
}
