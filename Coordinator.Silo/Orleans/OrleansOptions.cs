using System.Net;

namespace Coordinator.Silo.Orleans;

/// <summary>The Orleans host's part of the options.</summary>
internal sealed record OrleansOptions
{
    /// <summary>Silos of another one are not of this cluster.</summary>
    public required string ClusterId { get; init; }

    /// <summary>Stays the same when the cluster's id changes.</summary>
    public required string ServiceId { get; init; }

    public required string SiloName { get; init; }

    /// <summary>Where the other silos, and Orleans clients, reach this one.</summary>
    public required IPEndPoint Endpoint { get; init; }

    public required int GatewayPort { get; init; }

    /// <summary>Peers are spread over zones, too; null: not told.</summary>
    public required string? Zone { get; init; }

    /// <summary>Databases for the peers, by name; empty: all share the silo's.</summary>
    public required IReadOnlyDictionary<string, string> Databases { get; init; }

    /// <summary>How long a peer has to be lost until it is replaced by itself; null: it is not.</summary>
    public TimeSpan? ReplaceLostPeersAfter { get; init; }
}
