using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains.Orleans;

/// <summary>How the silos of an Orleans cluster run the groups. The same on all of them.</summary>
public sealed record OrleansGroupOptions
{
    /// <summary>The database of the grain directory and the catalogue; of all peers too, if <see cref="Databases"/> is empty.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>
    /// Databases by name; every silo reaches all of them. At bootstrap each gets a peer of every group, so there has to be an odd
    /// number; one that is listed later gets a peer when one is added.
    /// </summary>
    public IReadOnlyDictionary<string, string> Databases { get; init; } = new Dictionary<string, string>();

    /// <summary>From the founding on: what is stored has to be the same (rule 21). Names are spread over them by their namespaces.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Peers of each group in the one database; counts only at bootstrap, and where <see cref="Databases"/> is empty.</summary>
    public int Peers { get; init; } = 3;

    public ReplicaOptions Replica { get; init; } = new() { QuiesceElections = 2 };

    /// <summary>Limits that the replicated state enforces; count only at bootstrap.</summary>
    public StateSettings State { get; init; } = new();

    /// <summary>How long a request waits for a leader before it is refused.</summary>
    public TimeSpan LeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a silo that stops, or gives its leader away, waits for another peer to take leadership over.</summary>
    public TimeSpan HandOverTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a peer has to be lost for good, its database having no rows of it or being older than it was, until a new one
    /// takes its place by itself. Null: only when somebody says so.
    /// </summary>
    public TimeSpan? ReplaceLostPeersAfter { get; init; }

    /// <summary>How often a silo asks each other one what is new there; peers that are active nowhere become so after it.</summary>
    public TimeSpan LookInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long an uneven distribution has to last before a peer is moved.</summary>
    public TimeSpan BalanceDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks at how leaders of several groups are spread over the silos.</summary>
    public TimeSpan SpreadInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(ConnectionString);
        if (Groups is < 1 or > Limits.GroupsMax)
            throw new ArgumentException($"A cluster has 1 to {Limits.GroupsMax} groups, not {Groups}.");
        if (Databases.Count == 0 && (Peers is < 1 or > 7 || Peers % 2 == 0))
            throw new ArgumentException($"A new group has an odd number of peers up to 7, not {Peers}.");
        if (ReplaceLostPeersAfter < TimeSpan.Zero)
            throw new ArgumentException("A time is not negative.");
    }
}
