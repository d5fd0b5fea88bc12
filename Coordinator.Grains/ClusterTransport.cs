using Coordinator.Contracts;
using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>What a silo of a cluster needs of the links with the others. Nothing here waits for another silo.</summary>
public sealed record ClusterTransport
{
    /// <summary>Carries a peer's message to the silo that it is on, or loses it.</summary>
    public required Action<string, Envelope> Send { get; init; }

    public required Func<string, bool> IsUp { get; init; }

    /// <summary>
    /// Forwards a request, once. A failure with <see cref="ErrorCode.OutcomeUnknown"/> may have been executed, any other
    /// one has not (rule 15).
    /// </summary>
    public required Func<string, ForwardedRequest, CancellationToken, Task<ForwardedAnswer>> AskAsync { get; init; }

    /// <summary>Tells all other silos, on links that are opened later too.</summary>
    public required Action<SiloFacts> Tell { get; init; }

    /// <summary>The cluster's id is known from here on.</summary>
    public required Action<Guid> ClusterKnown { get; init; }
}

/// <summary>A silo of the cluster, as it is configured.</summary>
/// <param name="Url">Where its clients reach it.</param>
public sealed record ClusterMember(string SiloId, string Url);
