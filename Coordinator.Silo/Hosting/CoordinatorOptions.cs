using System.Net;
#if ORLEANS
using Coordinator.Silo.Orleans;
#endif
using Coordinator.Silo.Postgres;

namespace Coordinator.Silo.Hosting;

/// <summary>
/// What a silo can be told: the section Coordinator of appsettings.json, of the environment (Coordinator__Listen) and of
/// the command line (--Coordinator:Listen). Checked as a whole before anything is started.
/// </summary>
internal sealed record CoordinatorOptions
{
    public const string SectionName = "Coordinator";

    /// <summary>Where HTTP and the clients' WebSocket are served. Port 0: any free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Absolute.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Serve other machines without encryption and without authentication.</summary>
    public required bool AllowInsecure { get; init; }

    /// <summary>Host names, besides loopback's and the address itself, by which requests may call this silo.</summary>
    public required IReadOnlyList<string> AllowedHosts { get; init; }

    /// <summary>Origins of pages, besides the silo's own, that may call it from a browser.</summary>
    public required IReadOnlyList<string> AllowedOrigins { get; init; }

    /// <summary>Null: another host, by default the embedded one, with all peers in this process.</summary>
    public required ClusterOptions? Cluster { get; init; }

    /// <summary>Null: a new cluster begins empty.</summary>
    public required RestoreOptions? Restore { get; init; }

#if ORLEANS
    /// <summary>Null: another host.</summary>
    public required OrleansOptions? Orleans { get; init; }

#endif

    /// <summary>
    /// Of the cluster, from its first start on: names are spread over them by their namespaces. The same on all silos.
    /// </summary>
    public required int Groups { get; init; }

    /// <summary>Peers of each group in this process, in the embedded host.</summary>
    public required int Peers { get; init; }

    /// <summary>Without a word from the leader for one to two of these, a follower campaigns.</summary>
    public required TimeSpan ElectionTimeout { get; init; }

    /// <summary>Between two words of an idle leader.</summary>
    public required TimeSpan HeartbeatInterval { get; init; }

    /// <summary>Log entries after which the peers compare their states.</summary>
    public required int StateCheckEntries { get; init; }

    /// <summary>The database is taken as it is, whatever others have seen of it: for one start after a restore.</summary>
    public required bool TrustStorage { get; init; }

    public required PostgresOptions Postgres { get; init; }

    /// <summary>ConnectionStrings:Coordinator: a server to use in place of a private one.</summary>
    public required string? ConnectionString { get; init; }
}
