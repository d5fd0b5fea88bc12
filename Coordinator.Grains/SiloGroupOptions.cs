using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>How a silo runs its part of the groups: all of them in the embedded host, its own peers in a cluster.</summary>
public sealed record SiloGroupOptions
{
    public required PeerDatabaseOptions Database { get; init; }

    /// <summary>In a cluster its id; in the embedded host it names this process in the peers' rows and to whoever asks.</summary>
    public required string SiloId { get; init; }

    /// <summary>All silos of the cluster, this one included; empty: the embedded host. Each has a peer from the founding on.</summary>
    public IReadOnlyList<ClusterMember> Silos { get; init; } = [];

    /// <summary>Of the cluster, from the founding on: what is stored has to be the same (rule 21).</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Peers of each embedded group; counts only at bootstrap, then what is stored counts.</summary>
    public int Peers { get; init; } = 3;

    public ReplicaOptions Replica { get; init; } = new();

    public WitnessOptions Witness { get; init; } = new();

    /// <summary>Limits that the replicated state enforces; count only at bootstrap.</summary>
    public StateSettings State { get; init; } = new();

    /// <summary>
    /// What a new cluster is made of, the same on all silos; null: of nothing. It has to be without a problem for this number
    /// of groups. A database that has a cluster already is refused then.
    /// </summary>
    public ClusterRestore? Restore { get; init; }

    /// <summary>How long a request waits for a leader before it is refused.</summary>
    public TimeSpan LeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the start waits for peers whose database is not ready.</summary>
    public TimeSpan ActivationTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a silo that stops waits for another one to take leadership over.</summary>
    public TimeSpan HandOverTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long the peers of a group that nobody has led yet leave it to one silo's, which is up, to be the first: as long as
    /// silos that start together may be apart in running all their peers.
    /// </summary>
    public TimeSpan FirstTurn
    {
        get => field > TimeSpan.Zero ? field : TimeSpan.FromSeconds(2) + (Groups * TimeSpan.FromMilliseconds(25));
        init;
    }

    /// <summary>Between two looks at how leaders of several groups are spread over the silos.</summary>
    public TimeSpan SpreadInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a silo has to have been without its lost peer before the leader replaces that by itself; null: never. The
    /// embedded host always does, at once.
    /// </summary>
    public TimeSpan? ReplaceLostPeersAfter { get; init; }
}
