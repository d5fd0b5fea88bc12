using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Clients;

/// <summary>A program's watch of configuration.</summary>
internal sealed class ConfigWatch(SimulatedClient client, WatchConfig config, bool reportsProgress, long floorRevision, Prng random)
    : LibraryWatch(client, new ConfigStream(config, reportsProgress), random)
{
    public WatchConfig Config { get; } = config;

    /// <summary>Somebody had been told of it when the watch began.</summary>
    public long FloorRevision { get; } = floorRevision;

    /// <summary>The first revision that it has not been told of; 0: the cluster has not said yet what "now" is.</summary>
    public long NextRevision { get; set; } = config.FromRevision;
}
