using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>
/// Hands leadership from the peer of this silo to one of another. Asked for again until it is seen to have happened: a
/// leader gives up an attempt by itself after an election time-out, and stays.
/// </summary>
internal sealed class LeadershipHandOver(PeerLoop peer, OtherSilos others, GroupGateway gateway)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(50);

    private bool Leads => peer.Status is { Service: ServiceState.Running, Role: RaftState.Leader };

    /// <summary>To whoever is furthest and goes on running.</summary>
    /// <returns>Whether it does not lead (any longer).</returns>
    public Task<bool> ToAnyAsync(TimeSpan limit, TimeProvider time) => ToAsync(Best, limit, time, CancellationToken.None);

    public Task<bool> ToAsync(PeerId to, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken) =>
        ToAsync(() => to, limit, time, cancellationToken);

    /// <summary>Whether this peer can lead: a voter that runs on a silo that is reached and goes on.</summary>
    public bool CanLead(PeerRecord candidate) =>
        candidate.Id != peer.Peer && peer.Status.Membership.ConfState.Voters.Contains(candidate.Id)
        && others.FactOf(candidate.Id) is { State: "follower" or "candidate" } && !others.IsStopping(candidate.Silo);

    private PeerId? Best()
    {
        PeerRecord[] able = [.. peer.Status.Membership.Peers.Where(CanLead)];
        return able.Length == 0
            ? null
            : able.OrderByDescending(one => others.FactOf(one.Id)?.LastIndex ?? 0).ThenBy(one => one.Id).First().Id;
    }

    private async Task<bool> ToAsync(
        Func<PeerId?> choose, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        long startedAt = time.GetTimestamp();
        while (Leads)
        {
            if (choose() is not { } target)
                return false;
            peer.Post(new PeerInput.TransferLeadership(target));
            if (time.GetElapsedTime(startedAt) >= limit)
                return false;
            await gateway.WaitForChangeAsync(() => !Leads, AskAgain, cancellationToken);
        }
        return true;
    }
}
