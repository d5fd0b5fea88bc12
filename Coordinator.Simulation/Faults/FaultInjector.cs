using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Faults;

/// <summary>Makes the planned faults happen, starts again what has gone down, and mends everything in the end.</summary>
internal sealed class FaultInjector(World world, IReadOnlyList<PlannedFault> plan, Prng random)
{
    private bool _isOver;

    private EventQueue Events => world.Events;

    public void Start()
    {
        foreach (SimulatedPeer peer in world.Peers)
            peer.Start();
        world.Links?.Start();
        Supervise();
        foreach (PlannedFault fault in plan)
            Events.At(fault.AtUs, () => Inject(fault));
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
        world.SnapshotSent = null;
        world.Network.Faults = new NetworkFaults();
        foreach (Storage.SimulatedDatabase database in world.Databases)
        {
            database.ComeUp();
            database.Resume();
            database.Faults = Storage.StorageFaults.None;
        }
        foreach (SimulatedPeer peer in world.Peers)
        {
            peer.IsHeldDown = false;
            // Too few entries came for a check to find it: in a group at rest nothing more would.
            if (peer.IsAltered)
                peer.CrashAll();
            peer.Clock.Resume();
            foreach (PeerProcess process in peer.Processes)
                process.Unpause();
        }
        foreach (Clients.LibraryClient client in world.Clients.OfType<Clients.LibraryClient>())
            client.Wake();
    }

    /// <summary>As systemd or an orchestrator: what is down is started again after a moment.</summary>
    private void Supervise()
    {
        foreach (SimulatedPeer peer in world.Peers)
        {
            // Nobody starts what a backup has been restored under; that a row is missing shows only when it is tried.
            bool isUnfound = peer is { IsOld: true, IsFound: false } || (peer is { IsAltered: true, IsFound: false } && !_isOver);
            bool isStartable = !peer.IsRetired && (!peer.IsLost || isUnfound || (peer.IsEmptied && random.Chance(0.2)));
            if (peer.Newest is null && isStartable && !peer.IsHeldDown)
            {
                world.Happenings.Count(Happening.Restart);
                peer.Start();
            }
        }
        Events.After(random.Between(50_000, 1_000_000), Supervise);
    }

    private void ScheduleBackups() => Events.After(random.Between(200, 5_000) * 1_000, () =>
    {
        if (_isOver)
            return;
        random.Pick(world.Databases).TakeBackup();
        ScheduleBackups();
    });

    private void Inject(PlannedFault fault)
    {
        world.Trace.Add($"fault {fault.Number}: {fault.Kind}");
        if (new InjectedFault(world, new Prng(fault.Seed)).TryHappen(fault.Kind))
            world.Happenings.Count(fault.Kind);
        else
            world.Trace.Add($"fault {fault.Number}: nothing to strike");
    }
}
