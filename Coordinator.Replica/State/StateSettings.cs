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

    /// <summary>Most keys that end with one session.</summary>
    public int KeysPerSession { get; init; } = 1024;

    /// <summary>Most keys that one command changes. The end of a session takes all of its keys, whatever this is.</summary>
    public int KeysPerRevision { get; init; } = 10_000;

    /// <summary>Most revisions before the present one that can be read and watched.</summary>
    public int HistoryRevisions { get; init; } = 100_000;

    /// <summary>A revision that is older, in log time, is compacted when the next entry is applied. Microseconds.</summary>
    public long HistoryAgeUs { get; init; } = 24 * 3600 * 1_000_000L;

    /// <summary>Most bytes of keys and replaced values that the history keeps.</summary>
    public long HistoryBytes { get; init; } = 16 * 1024 * 1024;

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
        : KeysPerSession < 1 ? nameof(KeysPerSession)
        : KeysPerRevision < 1 ? nameof(KeysPerRevision)
        : HistoryRevisions < 1 ? nameof(HistoryRevisions)
        : HistoryAgeUs < 1 ? nameof(HistoryAgeUs)
        : HistoryBytes < 1 ? nameof(HistoryBytes)
        : LeasesMax < 1 ? nameof(LeasesMax)
        : ReentriesPerHolding < 1 ? nameof(ReentriesPerHolding)
        : ForcedReleasesKept < 1 ? nameof(ForcedReleasesKept)
        : null;
}
