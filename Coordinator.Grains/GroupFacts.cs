using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>What is told of a peer by the silo that it runs on, to itself as to the others.</summary>
internal static class GroupFacts
{
    public static GroupFact Of(int group, PeerLoop peer, ReplicaStatus status)
    {
        PeerStatus told = PeerStatus.From(status);
        GroupMembership membership = status.Membership;
        var fact = new GroupFact
        {
            Group = group,
            PeerId = told.PeerId,
            LeaderPeerId = status.Leader.Value,
            Term = told.Term,
            StorageId = ByteString.CopyFrom(peer.StorageId.ToByteArray()),
            State = told.State,
            Serves = status.IsReady,
            AppliedIndex = told.AppliedIndex,
            LastIndex = told.LastIndex,
            CommitIndex = told.CommitIndex,
            SnapshotIndex = told.SnapshotIndex,
            Epoch = told.Epoch,
            Detail = told.Detail ?? "",
            StoredCommitIndex = status.StoredCommitIndex,
            NextPeerId = membership.NextPeerId.Value,
            Purpose = peer.Addition is { } addition ? PurposeOf(addition) : null,
        };
        foreach (PeerRecord member in membership.Peers)
        {
            fact.Members.Add(new MemberFact
            {
                PeerId = member.Id.Value,
                StorageId = ByteString.CopyFrom(member.StorageId.ToByteArray()),
                Silo = member.Silo,
                Voter = membership.ConfState.Voters.Contains(member.Id),
                Outgoing = membership.ConfState.VotersOutgoing.Contains(member.Id),
            });
        }
        return fact;
    }

    public static PeerPurpose PurposeOf(PeerAddition addition) => new()
    {
        Nonce = ByteString.CopyFrom(addition.Nonce.ToByteArray(bigEndian: true)),
        StaysLearner = addition.StaysLearner,
        Replaces = addition.Replaces.Value,
    };

    /// <summary>Whether it says of itself that it leads.</summary>
    public static bool Leads(GroupFact fact) => fact.LeaderPeerId == fact.PeerId && Runs(fact);

    public static bool Runs(GroupFact fact) => fact.State is "leader" or "follower" or "candidate" or "learner";

    public static PeerId IdOf(GroupFact fact) => new(fact.PeerId);
}
