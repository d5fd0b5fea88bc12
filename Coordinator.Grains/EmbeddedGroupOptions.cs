using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>How the embedded host runs its group: all peers in this process, on one database.</summary>
public sealed record EmbeddedGroupOptions
{
    public required PeerDatabaseOptions Database { get; init; }

    /// <summary>Names this process in the peers' rows and to who asks for the cluster.</summary>
    public required string SiloId { get; init; }

    /// <summary>Peers of the group; counts only at bootstrap, then what is stored counts.</summary>
    public int Peers { get; init; } = 3;

    public ReplicaOptions Replica { get; init; } = new();

    /// <summary>Limits that the replicated state enforces; count only at bootstrap.</summary>
    public StateSettings State { get; init; } = new();

    /// <summary>What a new group is made of; null: of nothing. A database that has one already is refused then.</summary>
    public GroupRestore? Restore { get; init; }

    /// <summary>How long a request waits for a leader before it is refused.</summary>
    public TimeSpan LeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the start waits for peers whose database is not ready.</summary>
    public TimeSpan ActivationTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
