using System.Net;

namespace Coordinator.Silo.Hosting;

/// <summary>The cluster host's part of the options. Invariant: this silo is one of <see cref="Silos"/>.</summary>
internal sealed record ClusterOptions
{
    public required string Name { get; init; }

    /// <summary>The same on all silos.</summary>
    public required ReadOnlyMemory<byte> Secret { get; init; }

    public required string SiloId { get; init; }

    /// <summary>Where the other silos reach this one.</summary>
    public required IPEndPoint LinkListen { get; init; }

    /// <summary>All silos of the cluster, this one included.</summary>
    public required IReadOnlyList<ClusterSilo> Silos { get; init; }

    /// <summary>Null: never.</summary>
    public TimeSpan? ReplaceLostPeersAfter { get; init; }
}

/// <param name="Link">Where the other silos reach it: ws or wss.</param>
/// <param name="Url">Where clients reach it.</param>
internal sealed record ClusterSilo(string Id, Uri Link, Uri Url);
