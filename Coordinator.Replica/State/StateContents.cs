using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>What there is in a state, in numbers: for who looks at a file of it.</summary>
public sealed record StateContents
{
    public required int Keys { get; init; }

    /// <summary>Of the keys: those that end with a session.</summary>
    public required int BoundKeys { get; init; }

    public required int Sessions { get; init; }

    /// <summary>Leases included.</summary>
    public required int Holdings { get; init; }

    public required int Leases { get; init; }

    public required int Waits { get; init; }

    public required long CompactedRevision { get; init; }

    /// <summary>Log time; 0: grants are given.</summary>
    public required long HeldBackUntilUs { get; init; }

    /// <summary>
    /// For how long after its last sign of life a holder may act on what it has: the longest TTL of a session or a lease,
    /// and the longest lock delay. Of what is in this state alone; later there may have been longer ones.
    /// </summary>
    public required long LongestHoldUs { get; init; }

    public static StateContents Of(CoordinationState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        int bound = 0;
        SortedBlocks<string, ConfigRecord, OrdinalOrder>.Cursor records = state.Config.Records.All();
        while (records.MoveNext())
            bound += records.Current.SessionId == 0 ? 0 : 1;
        List<Claim> claims = state.Holdings.Claims();
        return new StateContents
        {
            Keys = state.Config.Records.Count,
            BoundKeys = bound,
            Sessions = state.SessionCount,
            Holdings = claims.Count(claim => claim.IsHolding),
            Leases = state.Holdings.LeaseCount,
            Waits = claims.Count(claim => !claim.IsHolding),
            CompactedRevision = state.Config.History.CompactedRevision,
            HeldBackUntilUs = state.Holdings.HeldBackUntilUs,
            LongestHoldUs = LongestHold(state, claims),
        };
    }

    /// <summary>A key that does not belong to this group in a cluster of so many; null: there is none.</summary>
    public static string? KeyOfOtherGroup(CoordinationState state, int groups)
    {
        ArgumentNullException.ThrowIfNull(state);
        SortedBlocks<string, ConfigRecord, OrdinalOrder>.Cursor records = state.Config.Records.All();
        while (records.MoveNext())
        {
            if (GroupOfName.Of(records.Key, groups) != state.Membership.Group)
                return records.Key;
        }
        return null;
    }

    private static long LongestHold(CoordinationState state, List<Claim> claims)
    {
        long ttlUs = 0;
        foreach (Session session in state.Sessions.ById.All())
            ttlUs = Math.Max(ttlUs, session.TtlUs);
        long delayUs = 0;
        foreach (Claim claim in claims)
        {
            ttlUs = Math.Max(ttlUs, claim.Lease?.TtlUs ?? 0);
            delayUs = Math.Max(delayUs, claim.LockDelayUs);
        }
        long longestUs = ttlUs + delayUs;
        foreach (HoldingKind kind in SnapshotHoldings.Kinds)
        {
            foreach (Resource resource in state.Holdings.Of(kind).All())
                longestUs = Math.Max(longestUs, resource.Delay is { } delay ? delay.DueUs - state.LogTimeUs : 0);
        }
        // A file of a group that was itself restored: its holders before may live on for as long.
        return Math.Max(longestUs, state.Holdings.HeldBackUntilUs == 0 ? 0 : state.Holdings.HeldBackUntilUs - state.LogTimeUs);
    }
}
