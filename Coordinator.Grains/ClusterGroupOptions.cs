using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>How a silo of a cluster runs its peer of the group.</summary>
public sealed record ClusterGroupOptions
{
    public required PeerDatabaseOptions Database { get; init; }

    public required string SiloId { get; init; }

    /// <summary>All silos of the cluster, this one included; each has one peer. Counts as a list only at bootstrap.</summary>
    public required IReadOnlyList<ClusterMember> Silos { get; init; }

    public ReplicaOptions Replica { get; init; } = new();

    public WitnessOptions Witness { get; init; } = new();

    /// <summary>Limits that the replicated state enforces; count only at bootstrap.</summary>
    public StateSettings State { get; init; } = new();

    /// <summary>How long a request waits for a leader before it is refused.</summary>
    public TimeSpan LeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the start waits for a database that is not ready.</summary>
    public TimeSpan ActivationTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a silo that stops waits for another one to take leadership over.</summary>
    public TimeSpan HandOverTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
