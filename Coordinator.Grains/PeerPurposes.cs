using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>What the group's learners are for. Each is in at most one list; one that stays a learner is in none.</summary>
/// <param name="ToVote">Asked for by an operator, to vote once they have caught up.</param>
/// <param name="Unneeded">Made to take a lost peer's place; without a lost peer, nobody's.</param>
internal sealed record PeerPurposes(IReadOnlyList<PeerId> ToVote, IReadOnlyList<PeerId> Unneeded)
{
    public static PeerPurposes Of(GroupMembership membership, IReadOnlyList<PeerAddition> additions)
    {
        var toVote = new List<PeerId>();
        var unneeded = new List<PeerId>();
        foreach (PeerId learner in membership.ConfState.Learners)
        {
            Guid? storageId = membership.Find(learner)?.StorageId;
            PeerAddition? asked = additions.FirstOrDefault(addition =>
                addition.Key.Peer == learner && addition.StorageId == storageId);
            if (asked is null)
                unneeded.Add(learner);
            else if (!asked.StaysLearner)
                toVote.Add(learner);
        }
        return new PeerPurposes(toVote, unneeded);
    }
}
