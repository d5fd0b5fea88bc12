using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Membership;

/// <summary>What holds of every configuration, whatever led to it.</summary>
internal static class MembershipRules
{
    public static void Require(Configuration configuration, ProgressMap peers)
    {
        foreach (PeerId id in configuration.Voters.Ids())
        {
            bool tracked = peers.Find(id) is { IsLearner: false };
            Invariant.Require(tracked, $"voter {id} of {configuration} isn't tracked as one");
        }

        foreach (PeerId id in configuration.Learners)
        {
            Invariant.Require(!configuration.Voters.Contains(id), $"{id} is voter and learner in {configuration}");
            bool tracked = peers.Find(id) is { IsLearner: true };
            Invariant.Require(tracked, $"learner {id} of {configuration} isn't tracked as one");
        }

        foreach (PeerId id in configuration.LearnersNext)
        {
            Invariant.Require(
                configuration.Voters.Outgoing.Contains(id),
                $"{id} is to become a learner but leaves no vote in {configuration}");
        }

        Invariant.Require(
            configuration.IsJoint || (configuration.LearnersNext.IsEmpty && !configuration.AutoLeave),
            $"{configuration} isn't joint but has what only a joint one has");
        for (int i = 0; i < peers.Count; i++)
        {
            PeerId id = peers.IdAt(i);
            Invariant.Require(configuration.Contains(id), $"{id} is tracked but not in {configuration}");
        }
    }
}
