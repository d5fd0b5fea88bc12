using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Faults;

/// <summary>
/// A fault that happens, now and for as long as it lasts; its choices are its own. Invariant: the storage of a minority at
/// most is ever lost, so the group can always be healed.
/// </summary>
internal sealed partial class InjectedFault(World world, Prng random)
{
    private Scenario Scenario => world.Scenario;

    private EventQueue Events => world.Events;

    private bool IsOver => Events.NowUs >= Scenario.SafetyUs;

    /// <summary>False: there was nothing for it to strike, and nothing has changed.</summary>
    public bool TryHappen(FaultKind kind) => kind switch
    {
        FaultKind.CrashAtOnce or FaultKind.CrashBetweenEffects or FaultKind.LongOutage or FaultKind.RollingRestart
            or FaultKind.Pause or FaultKind.Suspend or FaultKind.ClockJumpBack or FaultKind.ClockJumpAhead
            or FaultKind.DuplicateActivation or FaultKind.SplitByAge or FaultKind.StaleLeader or FaultKind.LeaderChurn
            or FaultKind.LeaderLostInSnapshot or FaultKind.TailReplacementsLost or FaultKind.LeadershipTransfer => TryPeers(kind),
        FaultKind.PartitionSymmetric or FaultKind.PartitionOneWay or FaultKind.PartitionRing
            or FaultKind.IsolatedLeader or FaultKind.CloggedLink or FaultKind.NetworkStorm or FaultKind.CutOffClient =>
            TryNetwork(kind),
        FaultKind.ClientVanishes or FaultKind.ClientSuspended or FaultKind.WallClockSet => TryClients(kind),
        FaultKind.MembershipChange => TryMembership(),
        _ => TryStorage(kind),
    };

    private bool TryMembership()
    {
        world.Operator.Begin();
        return true;
    }

    private SimulatedPeer AnyPeer() => random.Chance(0.4) && LeadingPeer() is { } leader ? leader : random.Pick(world.Peers.FindAll(peer => !peer.IsRetired));

    private SimulatedPeer? LeadingPeer() => world.Peers.Find(peer => peer.Processes.Exists(process => process.IsLeader));

    /// <summary>Short ones mostly: a fault that outlasts an election is no more interesting for being longer.</summary>
    private long Duration() => random.Skewed(20_000, 12_000_000);
}
