using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Grains.Orleans;

/// <summary>Does what operators ask of the group: describes it from any silo that has a peer, changes it on the leader's.</summary>
internal sealed class OrleansAdministrator(OrleansGroup group)
{
    public async Task<ClusterAnswer> ExecuteAsync(ClusterRequest request, CancellationToken abandoned) =>
        request.RequestCase switch
        {
            ClusterRequest.RequestOneofCase.Describe => Described(),
            ClusterRequest.RequestOneofCase.TransferLeadership =>
                await TransferAsync(new PeerId(request.TransferLeadership.ToPeerId), abandoned),
            _ => PeerAdministrator.Refused(
                ErrorCode.PeerChangeRefused, "The peers of an Orleans cluster are those that it was founded with; this version does not change them."),
        };

    private ClusterAnswer Described()
    {
        GroupPicture picture = group.Picture();
        return picture.Members.Count == 0
            ? PeerAdministrator.Refused(ErrorCode.NoQuorum, "Nobody is heard who knows the group's peers.")
            : new ClusterAnswer { Group = GroupDescriptions.Of(picture) };
    }

    private async Task<ClusterAnswer> TransferAsync(PeerId to, CancellationToken abandoned)
    {
        // Whoever asked looks for the leader itself.
        if (group.Gateway.Leader() is null)
            return PeerAdministrator.Refused(ErrorCode.NotLeader);
        return await group.HandOver(group.Options.LeaderTimeout).ToAsync(to, abandoned) ?? Described();
    }
}
