namespace Coordinator.Replica.State;

/// <summary>
/// The limits that applying an entry depends on. Part of the replicated state and of its snapshots, never read from a
/// replica's own options: two replicas with different limits would apply the same log to different states.
/// </summary>
public sealed record StateSettings
{
    public static readonly StateSettings Default = new();

    /// <summary>Most waiters in one resource's queue.</summary>
    public int WaitersPerResource { get; init; } = 1024;

    /// <summary>
    /// Most resources that one session holds and waits for, both together: so a grant to a waiter cannot exceed it.
    /// </summary>
    public int HoldingsPerSession { get; init; } = 1024;

    /// <summary>Most request ids that one session has in its table: stored results and waits.</summary>
    public int OpenRequestsPerSession { get; init; } = 1024;

    public int SessionsMax { get; init; } = 100_000;

    public int LeasesMax { get; init; } = 100_000;

    /// <summary>How often one session may enter a lock that it holds.</summary>
    public int ReentriesPerHolding { get; init; } = 1024;

    /// <summary>How many forced releases the audit list keeps.</summary>
    public int ForcedReleasesKept { get; init; } = 1000;

    /// <summary>Null when every limit is at least one, otherwise the name of the one that is not.</summary>
    internal string? Problem() =>
        WaitersPerResource < 1 ? nameof(WaitersPerResource)
        : HoldingsPerSession < 1 ? nameof(HoldingsPerSession)
        : OpenRequestsPerSession < 1 ? nameof(OpenRequestsPerSession)
        : SessionsMax < 1 ? nameof(SessionsMax)
        : LeasesMax < 1 ? nameof(LeasesMax)
        : ReentriesPerHolding < 1 ? nameof(ReentriesPerHolding)
        : ForcedReleasesKept < 1 ? nameof(ForcedReleasesKept)
        : null;
}
