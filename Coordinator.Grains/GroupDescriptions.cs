using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>A group in an operator's words, made from what its replicas know of themselves.</summary>
internal static class GroupDescriptions
{
    /// <param name="best">The replica whose membership counts: the leader, or whoever has come furthest.</param>
    /// <param name="all">Of all peers in this process.</param>
    public static GroupDescription Of(ReplicaStatus best, IReadOnlyList<ReplicaStatus> all)
    {
        GroupMembership membership = best.Membership;
        var description = new GroupDescription
        {
            Group = membership.Group,
            LeaderPeerId = best.Leader.Value,
            Term = best.Term.Value,
            CommitIndex = best.CommitIndex,
            Revision = best.Revision,
            Sessions = best.Sessions,
            FeatureLevel = best.FeatureLevel,
            FailuresTolerated = FailuresTolerated(membership, all),
        };
        foreach (PeerRecord peer in membership.Peers)
            description.Peers.Add(Of(peer, membership, all.FirstOrDefault(status => status.Peer == peer.Id)));
        return description;
    }

    public static int FailuresTolerated(GroupMembership membership, IReadOnlyList<ReplicaStatus> all) =>
        FailuresTolerated(
            membership, voter => all.Any(status => status.Peer == voter && status.Service == ServiceState.Running));

    /// <summary>In a joint configuration both halves need a quorum: the weaker one counts.</summary>
    public static int FailuresTolerated(GroupMembership membership, Func<PeerId, bool> runs)
    {
        int tolerated = Spare(membership.ConfState.Voters, runs);
        return membership.ConfState.VotersOutgoing is { Count: > 0 } outgoing
            ? Math.Min(tolerated, Spare(outgoing, runs))
            : tolerated;
    }

    /// <returns>"leader", "follower", "candidate", "comparing", "suspended", "quarantined" or "stopped".</returns>
    public static string StateOf(ReplicaStatus status) => (status.Service, status.Role) switch
    {
        (ServiceState.Comparing, _) => "comparing",
        (ServiceState.Suspended, _) => "suspended",
        (ServiceState.Quarantined, _) => "quarantined",
        (ServiceState.Stopped, _) => "stopped",
        (_, RaftState.Leader) => "leader",
        (_, RaftState.Candidate or RaftState.PreCandidate) => "candidate",
        _ => "follower",
    };

    private static PeerDescription Of(PeerRecord peer, GroupMembership membership, ReplicaStatus? status) => new()
    {
        PeerId = peer.Id.Value,
        Role = membership.ConfState.Voters.Contains(peer.Id) ? "voter" : "learner",
        State = status is null ? "unknown" : StateOf(status),
        Silo = peer.Silo,
        AppliedIndex = status?.AppliedIndex ?? 0,
        LastIndex = status?.LastIndex ?? 0,
        Detail = status is null ? "It does not run in this process." : status.Detail ?? "",
    };

    private static int Spare(IReadOnlyList<PeerId> voters, Func<PeerId, bool> runs) =>
        Math.Max(0, voters.Count(runs) - ((voters.Count / 2) + 1));
}
