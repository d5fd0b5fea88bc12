using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>A program's watch of an election.</summary>
internal sealed class ElectionWatch(SimulatedClient client, string election, long floorIndex, Prng random)
    : LibraryWatch(client, new ElectionStream(election), random)
{
    public string Election { get; } = election;

    /// <summary>What was known to be complete when it began, and since then the entry that made what it was told last.</summary>
    public long SeenIndex { get; set; } = floorIndex;

    /// <summary>Null: it has not been told yet.</summary>
    public ElectionState? Told { get; set; }
}
