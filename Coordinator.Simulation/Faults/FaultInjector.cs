using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Faults;

/// <summary>
/// Makes things go wrong at random times, and starts again what has gone down. Invariant: the storage of a minority at
/// most is ever lost, so the group can always be healed.
/// </summary>
internal sealed partial class FaultInjector(World world, Prng random)
{
    private bool _isOver;

    private Scenario Scenario => world.Scenario;

    private EventQueue Events => world.Events;

    public void Start()
    {
        foreach (SimulatedPeer peer in world.Peers)
            peer.Start();
        Supervise();
        if (Scenario.Faults.Count > 0)
            ScheduleNext();
        ScheduleBackups();
    }

    /// <summary>No new faults, all old ones mended; what was lost stays lost.</summary>
    public void Heal()
    {
        _isOver = true;
        world.Happenings.Count(Happening.Healed);
        world.Trace.Add($"healed");
        world.Operator.Stop();
        world.Network.Mend();
        world.IsSplitByAge = false;
        world.Network.Faults = new NetworkFaults();
        foreach (Storage.SimulatedDatabase database in world.Databases)
        {
            database.ComeUp();
            database.Faults = Storage.StorageFaults.None;
        }
        foreach (SimulatedPeer peer in world.Peers)
        {
            peer.IsHeldDown = false;
            peer.Clock.Resume();
            foreach (PeerProcess process in peer.Processes)
                process.Unpause();
        }
    }

    /// <summary>As systemd or an orchestrator: what is down is started again after a moment.</summary>
    private void Supervise()
    {
        foreach (SimulatedPeer peer in world.Peers)
        {
            // Nobody starts what a backup has been restored under; that a row is missing shows only when it is tried.
            bool isStartable = !peer.IsRetired && (!peer.IsLost || (peer.IsEmptied && random.Chance(0.2)));
            if (peer.Newest is null && isStartable && !peer.IsHeldDown)
            {
                world.Happenings.Count(Happening.Restart);
                peer.Start();
            }
        }
        Events.After(random.Between(50_000, 1_000_000), Supervise);
    }

    private void ScheduleNext() => Events.After(random.Between(1, 2 * Scenario.FaultIntervalUs), () =>
    {
        if (_isOver)
            return;
        Inject(random.Pick(Scenario.Faults));
        ScheduleNext();
    });

    private void ScheduleBackups() => Events.After(random.Between(200, 5_000) * 1_000, () =>
    {
        if (_isOver)
            return;
        random.Pick(world.Databases).TakeBackup();
        ScheduleBackups();
    });

    private void Inject(FaultKind kind)
    {
        world.Trace.Add($"fault: {kind}");
        switch (kind)
        {
            case FaultKind.CrashAtOnce or FaultKind.CrashBetweenEffects or FaultKind.LongOutage or FaultKind.RollingRestart
                or FaultKind.Pause or FaultKind.Suspend or FaultKind.ClockJumpBack or FaultKind.DuplicateActivation
                or FaultKind.SplitByAge or FaultKind.StaleLeader or FaultKind.LeaderChurn
                or FaultKind.LeadershipTransfer:
                InjectIntoPeers(kind);
                break;
            case FaultKind.PartitionSymmetric or FaultKind.PartitionOneWay or FaultKind.PartitionRing
                or FaultKind.IsolatedLeader or FaultKind.CloggedLink or FaultKind.NetworkStorm or FaultKind.CutOffClient:
                InjectIntoNetwork(kind);
                break;
            case FaultKind.MembershipChange:
                world.Operator.Begin();
                break;
            case FaultKind.ClientVanishes:
                random.Pick(world.Clients).Vanish();
                break;
            default:
                InjectIntoStorage(kind);
                break;
        }
    }

    private SimulatedPeer AnyPeer() => random.Chance(0.4) && LeadingPeer() is { } leader ? leader : random.Pick(world.Peers.FindAll(peer => !peer.IsRetired));

    private SimulatedPeer? LeadingPeer() => world.Peers.Find(peer => peer.Processes.Exists(process => process.IsLeader));

    /// <summary>Short ones mostly: a fault that outlasts an election is no more interesting for being longer.</summary>
    private long Duration() => random.Skewed(20_000, 12_000_000);
}
