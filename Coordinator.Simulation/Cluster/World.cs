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

    /// <summary>By ascending id; place i of the network is peer i + 1.</summary>
    public List<SimulatedPeer> Peers { get; } = [];

    public List<SimulatedDatabase> Databases { get; } = [];

    public List<SimulatedClient> Clients { get; } = [];

    /// <summary>
    /// Old processes hear old ones alone, and new ones new ones: as where two halves of a hosting cluster each believe the
    /// other to be dead.
    /// </summary>
    public bool IsSplitByAge { get; set; }

    public SimulatedPeer PeerOf(PeerId id) => Peers[(int)id.Value - 1];

    public int PlaceOfClient(int client) => Scenario.Peers + client;
}
