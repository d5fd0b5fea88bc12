using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Faults;

internal sealed partial class InjectedFault
{
    private bool TryPeers(FaultKind kind)
    {
        SimulatedPeer peer = AnyPeer();
        switch (kind)
        {
            case FaultKind.CrashAtOnce when peer.Newest is { } process:
                peer.Crash(process);
                return true;
            case FaultKind.CrashBetweenEffects when peer.Newest is { } process:
                process.CrashBetweenEffects();
                return true;
            case FaultKind.LongOutage when !peer.IsHeldDown:
                GoDownFor(peer);
                return true;
            case FaultKind.RollingRestart:
                RollingRestart(0);
                return true;
            case FaultKind.Pause when peer.Newest is { } process:
                process.Pause(Duration());
                return true;
            case FaultKind.Suspend:
                Suspend(peer);
                return true;
            case FaultKind.ClockJumpBack:
                peer.Clock.Jump(-random.Skewed(1_000, 5_000_000));
                return true;
            // A leader's clock that runs ahead shortens leases, by an election time-out at the most: rule 11 bears no more.
            case FaultKind.ClockJumpAhead when !peer.Processes.Exists(process => process.IsLeader):
                peer.Clock.Jump(random.Skewed(1_000, 30_000_000));
                return true;
            case FaultKind.DuplicateActivation when peer is { IsLost: false, Newest: not null, Processes.Count: < 3 }:
                peer.Start();
                return true;
            case FaultKind.SplitByAge when !world.IsSplitByAge:
                SplitByAge();
                return true;
            case FaultKind.StaleLeader when LeadingPeer() is { } stale:
                MakeStale(stale);
                return true;
            case FaultKind.LeaderChurn:
                Churn((int)random.Between(4, 16));
                return true;
            case FaultKind.LeaderLostInSnapshot:
                world.SnapshotSent = LoseLeaderInSnapshot;
                return true;
            case FaultKind.TailReplacementsLost:
                LoseTailReplacements();
                return true;
            case FaultKind.LeadershipTransfer when LeadingPeer() is { } leader:
                PeerId to = random.Pick(world.Peers).Id;
                leader.Newest?.Post(machine => machine.TransferLeadership(to));
                return true;
            default:
                return false;
        }
    }

    private void GoDownFor(SimulatedPeer peer)
    {
        peer.IsHeldDown = true;
        peer.CrashAll();
        Events.After(random.Between(2_000, 20_000) * 1_000, () => peer.IsHeldDown = false);
    }

    /// <summary>All peers are taken over at once, and the old processes go on among themselves.</summary>
    private void SplitByAge()
    {
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
        long pausedUs = Scenario.Options.ElectionTimeoutUs * random.Between(1, 6);
        if (random.Chance(0.5))
        {
            leader.Newest?.Pause(pausedUs);
            Isolate(leader, pausedUs * 2);
        }
        else
        {
            // What a quorum has said to it by then waits in its inbox, with the reads that it is asked for meanwhile.
            leader.Newest?.PauseInReadRound(pausedUs, () => Events.After(random.Skewed(1_000, 100_000), () => Isolate(leader, pausedUs * 2)));
        }
    }

    /// <summary>
    /// One leader after another is lost soon after it was elected, and comes back: so entries of several terms lie on some
    /// peers and not on others (figure 8 of the Raft paper).
    /// </summary>
    private void Churn(int rounds)
    {
        if (rounds == 0 || IsOver)
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

    /// <summary>The next snapshot arrives, but its sender is gone before the receiver's slow database has taken it in.</summary>
    private void LoseLeaderInSnapshot(PeerProcess leader, SimulatedPeer receiver)
    {
        long electionTimeoutUs = Scenario.Options.ElectionTimeoutUs;
        Misbehave(
            receiver.Database,
            new StorageFaults { SlowChance = 0.8, SlowMaxUs = 8 * electionTimeoutUs },
            random.Between(1, 10) * electionTimeoutUs);
        Events.After(random.Below(20_000), () =>
        {
            if (leader.IsAlive)
                leader.Owner.Crash(leader);
        });
    }

    /// <summary>
    /// Leaders change, and what replaces the tails of those before is lost on some peers while others commit it: so a peer's
    /// state gets ahead of its stored log, which holds other entries at those indexes.
    /// </summary>
    private void LoseTailReplacements()
    {
        int rounds = (int)random.Between(4, 16);
        foreach (SimulatedDatabase database in world.Databases)
            Misbehave(database, new StorageFaults { TailReplacementLostChance = random.Fraction() }, rounds * Scenario.Options.ElectionTimeoutUs);
        Churn(rounds);
    }

    private void Isolate(SimulatedPeer peer, long durationUs)
    {
        for (int other = 0; other < world.Peers.Count; other++)
        {
            world.Network.Cut(peer.Place, other, durationUs);
            world.Network.Cut(other, peer.Place, durationUs);
        }
    }

    private void RollingRestart(int index)
    {
        if (index >= world.Peers.Count || IsOver)
            return;
        world.Peers[index].ProgramLevel = NextProgramLevel(world.Peers[index]);
        world.Peers[index].CrashAll();
        Events.After(random.Between(500, 4_000) * 1_000, () => RollingRestart(index + 1));
    }

    /// <summary>The new version, mostly; back to the old one only while the group's level has not been raised (rule 25).</summary>
    private int NextProgramLevel(SimulatedPeer peer)
    {
        bool mayGoBack = Scenario.FirstLevel < FeatureLevels.Known && peer.ProgramLevel == FeatureLevels.Known
            && world.Happenings[Happening.FeatureLevelRaised] == 0;
        return mayGoBack && random.Chance(0.3) ? Scenario.FirstLevel : FeatureLevels.Known;
    }

    /// <summary>The machine sleeps: its clock stands still while real time goes on.</summary>
    private void Suspend(SimulatedPeer peer)
    {
        long durationUs = Duration();
        peer.Clock.Suspend();
        foreach (PeerProcess process in peer.Processes)
            process.Pause(durationUs);
        Events.After(durationUs, peer.Clock.Resume);
    }
}
