using Coordinator.Raft;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Faults;

internal sealed partial class FaultInjector
{
    private void InjectIntoPeers(FaultKind kind)
    {
        SimulatedPeer peer = AnyPeer();
        switch (kind)
        {
            case FaultKind.CrashAtOnce when peer.Newest is { } process:
                world.Happenings.Count(Happening.CrashAtOnce);
                peer.Crash(process);
                break;
            case FaultKind.CrashBetweenEffects:
                peer.Newest?.CrashBetweenEffects();
                break;
            case FaultKind.LongOutage:
                GoDownFor(peer);
                break;
            case FaultKind.RollingRestart:
                world.Happenings.Count(Happening.RollingRestart);
                RollingRestart(0);
                break;
            case FaultKind.Pause when peer.Newest is { } process:
                world.Happenings.Count(Happening.Pause);
                process.Pause(Duration());
                break;
            case FaultKind.Suspend:
                Suspend(peer);
                break;
            case FaultKind.ClockJumpBack:
                world.Happenings.Count(Happening.ClockJumpBack);
                peer.Clock.JumpBack(random.Skewed(1_000, 5_000_000));
                break;
            case FaultKind.DuplicateActivation when peer is { IsLost: false, Newest: not null, Processes.Count: < 3 }:
                world.Happenings.Count(Happening.DuplicateActivation);
                peer.Start();
                break;
            case FaultKind.SplitByAge when !world.IsSplitByAge:
                SplitByAge();
                break;
            case FaultKind.StaleLeader when LeadingPeer() is { } stale:
                MakeStale(stale);
                break;
            case FaultKind.LeaderChurn:
                world.Happenings.Count(Happening.LeaderChurn);
                Churn((int)random.Between(4, 16));
                break;
            case FaultKind.LeadershipTransfer when LeadingPeer() is { } leader:
                world.Happenings.Count(Happening.LeadershipTransferAsked);
                PeerId to = random.Pick(world.Peers).Id;
                leader.Newest?.Post(machine => machine.TransferLeadership(to));
                break;
        }
    }

    private void GoDownFor(SimulatedPeer peer)
    {
        if (peer.IsHeldDown)
            return;
        world.Happenings.Count(Happening.LongOutage);
        peer.IsHeldDown = true;
        peer.CrashAll();
        Events.After(random.Between(2_000, 20_000) * 1_000, () => peer.IsHeldDown = false);
    }

    /// <summary>All peers are taken over at once, and the old processes go on among themselves.</summary>
    private void SplitByAge()
    {
        world.Happenings.Count(Happening.SplitByAge);
        world.IsSplitByAge = true;
        foreach (SimulatedPeer peer in world.Peers)
        {
            if (peer is { IsLost: false, IsHeldDown: false, IsRetired: false, Processes.Count: 1 })
                peer.Start();
        }
        Events.After(random.Between(500, 8_000) * 1_000, () => world.IsSplitByAge = false);
    }

    /// <summary>A leader that sleeps through its succession, and wakes cut off from whoever could tell it.</summary>
    private void MakeStale(SimulatedPeer leader)
    {
        world.Happenings.Count(Happening.StaleLeader);
        long pausedUs = Scenario.Options.ElectionTimeoutUs * random.Between(1, 6);
        leader.Newest?.Pause(pausedUs);
        Isolate(leader, pausedUs * 2);
    }

    /// <summary>
    /// One leader after another is lost soon after it was elected, and comes back: so entries of several terms lie on some
    /// peers and not on others (figure 8 of the Raft paper).
    /// </summary>
    private void Churn(int rounds)
    {
        if (rounds == 0 || _isOver)
            return;
        if (LeadingPeer() is { } leader)
        {
            if (random.Chance(0.5))
                leader.CrashAll();
            else
                Isolate(leader, Scenario.Options.ElectionTimeoutUs * random.Between(1, 4));
        }
        Events.After(random.Between(1, 2 * Scenario.Options.ElectionTimeoutUs), () => Churn(rounds - 1));
    }

    private void Isolate(SimulatedPeer peer, long durationUs)
    {
        for (int other = 0; other < world.Peers.Count; other++)
        {
            CutFor(world.Network, peer.Place, other, durationUs);
            CutFor(world.Network, other, peer.Place, durationUs);
        }
    }

    private void RollingRestart(int index)
    {
        if (index >= world.Peers.Count || _isOver)
            return;
        world.Peers[index].CrashAll();
        Events.After(random.Between(500, 4_000) * 1_000, () => RollingRestart(index + 1));
    }

    /// <summary>The machine sleeps: its clock stands still while real time goes on.</summary>
    private void Suspend(SimulatedPeer peer)
    {
        world.Happenings.Count(Happening.Suspend);
        long durationUs = Duration();
        peer.Clock.Suspend();
        foreach (PeerProcess process in peer.Processes)
            process.Pause(durationUs);
        Events.After(durationUs, peer.Clock.Resume);
    }
}
