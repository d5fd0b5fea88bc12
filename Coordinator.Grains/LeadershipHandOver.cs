using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>
/// Hands leadership from a peer here to another one. Asked for again until it is seen to have happened: a leader gives up
/// an attempt by itself after an election time-out, and stays.
/// </summary>
/// <param name="picture">What is known of the group now.</param>
/// <param name="others">Null: the embedded host.</param>
internal sealed class LeadershipHandOver(
    GroupGateway gateway, Func<GroupPicture> picture, OtherSilos? others, TimeSpan limit, TimeProvider time)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(50);

    /// <param name="wanted">None: whoever is furthest among the other voters that go on running.</param>
    /// <param name="abandoned">Nobody waits any longer: <see cref="OperationCanceledException"/>.</param>
    /// <returns>Null: it is so; otherwise why not.</returns>
    public async Task<ClusterAnswer?> ToAsync(PeerId wanted, CancellationToken abandoned)
    {
        long startedAt = time.GetTimestamp();
        PeerId? first = gateway.Leader()?.Peer;
        while (true)
        {
            PeerId leader = picture().Leader;
            if (IsDone(leader, wanted, first))
                return null;
            if (gateway.Leader() is { } here)
            {
                first ??= here.Peer;
                if (Target(here, wanted) is not { } target)
                    return Refusal(here, wanted);
                here.Post(new PeerInput.TransferLeadership(target));
            }
            if (time.GetElapsedTime(startedAt) >= limit)
                return TooLate(wanted, leader);
            await gateway.WaitForChangeAsync(
                () => IsDone(picture().Leader, wanted, first), AskAgain, abandoned);
        }
    }

    /// <summary>Whether anybody else could lead now.</summary>
    public bool IsPossible(PeerLoop leader) => Target(leader, PeerId.None) is not null;

    private static bool IsDone(PeerId leader, PeerId wanted, PeerId? first) =>
        !leader.IsNone && (wanted.IsNone ? first is { } from && leader != from : leader == wanted);

    /// <summary>Null: nobody wanted can lead.</summary>
    private PeerId? Target(PeerLoop leader, PeerId wanted)
    {
        GroupPicture now = picture();
        GroupMembership membership = leader.Status.Membership;
        return membership.Peers
            .Where(peer => peer.Id != leader.Peer && (wanted.IsNone || peer.Id == wanted)
                && membership.ConfState.Voters.Contains(peer.Id) && others?.IsStopping(peer.Silo) != true)
            .Select(now.FactOf)
            // Whoever has led until a moment ago may not have told yet that it follows.
            .Where(fact => fact is { State: "follower" or "candidate" or "leader" })
            // Of two that are as far, asked again, the same one is meant; and of each group another one's turn comes first.
            .OrderByDescending(fact => fact!.LastIndex).ThenBy(fact => GroupTurns.Of(GroupFacts.IdOf(fact!), now.Group, membership))
            .Select(fact => (PeerId?)GroupFacts.IdOf(fact!))
            .FirstOrDefault();
    }

    private ClusterAnswer Refusal(PeerLoop leader, PeerId wanted)
    {
        GroupMembership membership = leader.Status.Membership;
        if (wanted.IsNone)
            return PeerAdministrator.Refused(ErrorCode.PeerChangeRefused, "No other voter runs that could lead.");
        if (membership.Find(wanted) is not { } peer)
            return PeerAdministrator.Refused(ErrorCode.PeerNotFound, $"There is no peer {wanted} in the group.");
        if (!membership.ConfState.Voters.Contains(wanted))
            return PeerAdministrator.Refused(ErrorCode.PeerNotFound, $"Peer {wanted} is a learner: it cannot lead.");
        string state = picture().FactOf(peer)?.State ?? "not reached";
        return PeerAdministrator.Refused(ErrorCode.PeerChangeRefused, $"Peer {wanted} is {state}: it cannot lead.");
    }

    private static ClusterAnswer TooLate(PeerId wanted, PeerId leader) => leader.IsNone
        ? PeerAdministrator.Refused(ErrorCode.NoQuorum, "The group has no leader now.")
        : PeerAdministrator.Refused(
            ErrorCode.OutcomeUnknown,
            $"{(wanted.IsNone ? "Another peer" : $"Peer {wanted}")} does not lead yet: peer {leader} does. It may still come to it.");
}
