using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Cluster;

/// <summary>
/// The news that a cluster's links bring: a process that dies closes them at once, and what has not been reached for a while
/// is given up at both ends. Invariant: who follows a leader whose link is lost hears of it, if only later.
/// </summary>
internal sealed class SiloLinks(World world, Prng random)
{
    private const long LookUs = 250_000;
    private const long DeadAfterUs = 3_000_000;
    private const long CampaignTurnUs = 150_000;
    private const long CampaignJitterMaxUs = 30_000;

    /// <summary>Since when nothing has passed, of each pair of peers.</summary>
    private readonly Dictionary<(PeerId, PeerId), long> _blockedSinceUs = [];

    public void Start() => Look();

    public void Died(SimulatedPeer gone)
    {
        foreach (SimulatedPeer other in world.Peers)
        {
            // The news goes the way that all goes.
            long delayUs = world.Network.IsBlocked(gone.Place, other.Place) ? DeadAfterUs : random.Between(500, 50_000);
            world.Events.After(delayUs, () => Lost(other, gone));
        }
    }

    private void Look()
    {
        foreach (SimulatedPeer one in world.Peers)
        {
            foreach (SimulatedPeer other in world.Peers)
            {
                if (one.Id < other.Id)
                    Look(one, other);
            }
        }
        world.Events.After(LookUs, Look);
    }

    private void Look(SimulatedPeer one, SimulatedPeer other)
    {
        long nowUs = world.Events.NowUs;
        if (!IsBlocked(one, other))
            _blockedSinceUs.Remove((one.Id, other.Id));
        else if (!_blockedSinceUs.TryAdd((one.Id, other.Id), nowUs) && nowUs - _blockedSinceUs[(one.Id, other.Id)] >= DeadAfterUs)
        {
            _blockedSinceUs[(one.Id, other.Id)] = nowUs;
            Lost(one, other);
            Lost(other, one);
        }
    }

    private bool IsBlocked(SimulatedPeer one, SimulatedPeer other) => world.Network.IsBlocked(one.Place, other.Place)
        || one.Newest is null or { IsPaused: true } || other.Newest is null or { IsPaused: true };

    /// <summary>As the cluster host does with it.</summary>
    private void Lost(SimulatedPeer at, SimulatedPeer gone)
    {
        foreach (PeerProcess process in at.Processes)
        {
            if (process.Machine is not { } machine || machine.Raft.Leader != gone.Id || machine.Raft.IsLeader)
                continue;
            process.LeaderLost(gone.Id);
            long delayUs = (TurnOf(machine, at.Id) * CampaignTurnUs) + random.Below(CampaignJitterMaxUs);
            world.Events.After(delayUs, () => CampaignAt(process, machine));
        }
    }

    private static void CampaignAt(PeerProcess process, ReplicaMachine machine)
    {
        if (machine.Raft is { State: RaftState.Follower, Leader.IsNone: true })
            process.Post(replica => replica.Campaign());
    }

    private static int TurnOf(ReplicaMachine machine, PeerId peer) =>
        machine.State.Membership.ConfState.Voters.Count(voter => voter < peer && voter != machine.Raft.Leader);
}
