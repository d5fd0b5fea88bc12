using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// Hands leadership over. Asked for again until it is seen to have happened: a leader gives up an attempt by itself after
/// an election time-out, and stays.
/// </summary>
internal sealed class LeadershipTransfer(EmbeddedGroup group, TimeSpan limit, TimeProvider time)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);

    /// <param name="wanted">None: whoever is furthest among the other voters.</param>
    /// <returns>Null: it is so; otherwise why not.</returns>
    public async Task<ClusterAnswer?> ToAsync(PeerId wanted, CancellationToken cancellationToken)
    {
        long startedAt = time.GetTimestamp();
        PeerId? first = null;
        while (true)
        {
            if (group.Gateway.Leader() is { } leader)
            {
                first ??= leader.Peer;
                if (IsDone(leader.Peer, wanted, first.Value))
                    return null;
                if (Target(leader, wanted) is not { } target)
                    return Refusal(leader, wanted);
                leader.Post(new PeerInput.TransferLeadership(target));
            }
            if (time.GetElapsedTime(startedAt) >= limit)
                return TooLate(wanted);
            await group.Gateway.WaitForChangeAsync(
                () => group.Gateway.Leader() is { } now && first is { } from && IsDone(now.Peer, wanted, from),
                AskAgain, cancellationToken);
        }
    }

    private static bool IsDone(PeerId leader, PeerId wanted, PeerId first) =>
        wanted.IsNone ? leader != first : leader == wanted;

    /// <summary>Null: it cannot lead.</summary>
    private PeerId? Target(PeerLoop leader, PeerId wanted)
    {
        IReadOnlyList<PeerId> voters = leader.Status.Membership.ConfState.Voters;
        ReplicaStatus? best = group.Peers.Select(peer => peer.Status)
            .Where(status => status.Service == ServiceState.Running && status.Peer != leader.Peer
                && voters.Contains(status.Peer) && (wanted.IsNone || status.Peer == wanted))
            // The lower id of two that are as far: asked again, the same one is meant.
            .OrderByDescending(status => status.LastIndex).ThenBy(status => status.Peer)
            .FirstOrDefault();
        return best?.Peer;
    }

    private ClusterAnswer Refusal(PeerLoop leader, PeerId wanted)
    {
        if (wanted.IsNone)
            return PeerAdministrator.Refused(ErrorCode.PeerChangeRefused, "No other voter runs that could lead.");
        if (leader.Status.Membership.Find(wanted) is null)
            return PeerAdministrator.Refused(ErrorCode.PeerNotFound, $"There is no peer {wanted} in the group.");
        if (!leader.Status.Membership.ConfState.Voters.Contains(wanted))
            return PeerAdministrator.Refused(ErrorCode.PeerNotFound, $"Peer {wanted} is a learner: it cannot lead.");
        string state = group.Find(wanted) is { } peer ? GroupDescriptions.StateOf(peer.Status) : "not here";
        return PeerAdministrator.Refused(ErrorCode.PeerChangeRefused, $"Peer {wanted} is {state}: it cannot lead.");
    }

    private ClusterAnswer TooLate(PeerId wanted) => group.Gateway.Leader() is { } leader
        ? PeerAdministrator.Refused(
            ErrorCode.OutcomeUnknown,
            $"{(wanted.IsNone ? "Another peer" : $"Peer {wanted}")} does not lead yet: peer {leader.Peer} does. It may still come to it.")
        : PeerAdministrator.Refused(ErrorCode.NoQuorum, "The group has no leader now.");
}
