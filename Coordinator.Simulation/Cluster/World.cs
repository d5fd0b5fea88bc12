using Coordinator.Raft;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Invariants;
using Coordinator.Simulation.Network;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>Everything there is in one run.</summary>
internal sealed class World
{
    public required Scenario Scenario { get; init; }

    public required PlantedBug Bug { get; init; }

    public required EventQueue Events { get; init; }

    public required Trace Trace { get; init; }

    public required Happenings Happenings { get; init; }

    /// <summary>For scheduling: how long a process takes to get its turn.</summary>
    public required Prng Scheduling { get; init; }

    public required SimulatedNetwork Network { get; init; }

    public required InvariantSet Invariants { get; init; }

    /// <summary>Those that have left too. By ascending id; place i of the network is peer i + 1.</summary>
    public List<SimulatedPeer> Peers { get; } = [];

    public List<SimulatedDatabase> Databases { get; } = [];

    public List<SimulatedClient> Clients { get; } = [];

    public Operator Operator { get; set; } = null!;

    /// <summary>Null: the host is one without links, and tells nobody of a silo's death.</summary>
    public SiloLinks? Links { get; set; }

    /// <summary>
    /// Old processes hear old ones alone, and new ones new ones: as where two halves of a hosting cluster each believe the
    /// other to be dead.
    /// </summary>
    public bool IsSplitByAge { get; set; }

    /// <summary>Told once, of the next snapshot that leaves a leader: who sends it, and to whom.</summary>
    public Action<PeerProcess, SimulatedPeer>? SnapshotSent { get; set; }

    /// <summary>Null: it does not exist yet.</summary>
    public SimulatedPeer? PeerOf(PeerId id) => id.Value <= Peers.Count ? Peers[(int)id.Value - 1] : null;

    /// <summary>The network has a place for one more peer.</summary>
    public bool HasPlace => Peers.Count < Scenario.PeersMax;

    /// <summary>A member of the group whose storage can be trusted: at the end it must have and know everything.</summary>
    public bool IsSound(SimulatedPeer peer) => !peer.IsLost && Invariants.Membership.ConfState.Contains(peer.Id);

    public int PlaceOfClient(int client) => Scenario.PeersMax + client;
}
