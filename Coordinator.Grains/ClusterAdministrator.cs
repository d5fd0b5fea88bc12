using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>Does what operators ask of a cluster's group, on the leader's silo; each silo describes it.</summary>
internal sealed class ClusterAdministrator(ClusterGroup group, OtherSilos others, TimeSpan patience, TimeProvider time)
{
    public async Task<ClusterAnswer> ExecuteAsync(ClusterRequest request, CancellationToken abandoned) =>
        request.RequestCase switch
        {
            ClusterRequest.RequestOneofCase.Describe => Described(),
            ClusterRequest.RequestOneofCase.TransferLeadership =>
                await TransferAsync(new PeerId(request.TransferLeadership.ToPeerId), abandoned),
            _ => PeerAdministrator.Refused(
                ErrorCode.PeerChangeRefused, "The peers of a cluster are those of its silos; this version does not change them."),
        };

    private ClusterAnswer Described()
    {
        if (group.Peer is not { } peer)
            return PeerAdministrator.Refused(ErrorCode.NoQuorum, group.Gateway.Notice ?? "No peer of the group runs here.");
        GroupDescription description = GroupDescriptions.Of(peer.Status, [peer.Status]);
        description.FailuresTolerated = ClusterStatus.FailuresTolerated(peer.Status, others);
        foreach (PeerDescription other in description.Peers)
        {
            if (others.FactOf(new PeerId(other.PeerId)) is not { } fact)
                continue;
            other.State = fact.State;
            other.AppliedIndex = fact.AppliedIndex;
            other.LastIndex = fact.LastIndex;
            other.Detail = fact.Detail;
        }
        return new ClusterAnswer { Group = description };
    }

    private async Task<ClusterAnswer> TransferAsync(PeerId to, CancellationToken abandoned)
    {
        if (group.Peer is not { Status: { Service: ServiceState.Running, Role: RaftState.Leader } status } peer)
            return PeerAdministrator.Refused(ErrorCode.NotLeader);
        var handOver = new LeadershipHandOver(peer, others, group.Gateway);
        if (to == peer.Peer)
            return Described();
        if (to.IsNone)
        {
            if (!status.Membership.Peers.Any(handOver.CanLead))
                return PeerAdministrator.Refused(ErrorCode.PeerChangeRefused, "No other voter runs that could lead.");
        }
        else if (status.Membership.Find(to) is not { } wanted)
        {
            return PeerAdministrator.Refused(ErrorCode.PeerNotFound, $"There is no peer {to} in the group.");
        }
        else if (!handOver.CanLead(wanted))
        {
            return PeerAdministrator.Refused(ErrorCode.PeerChangeRefused, $"Peer {to} is not reached, or does not run: it cannot lead.");
        }
        bool isDone = to.IsNone
            ? await handOver.ToAnyAsync(patience, time)
            : await handOver.ToAsync(to, patience, time, abandoned);
        return isDone
            ? Described()
            : PeerAdministrator.Refused(ErrorCode.OutcomeUnknown, $"Peer {peer.Peer} leads still. Another one may still come to it.");
    }
}
