using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>Answers to queries about holdings: who holds, who waits, since when, and why.</summary>
internal static class HoldingQueries
{
    public static LockInfo Describe(Resource resource, long logTimeUs, Claim? upTo = null)
    {
        var info = new LockInfo
        {
            Name = resource.Name,
            Kind = resource.Kind,
            Limit = resource.Limit,
            DelayUs = resource.Delay is { } delay ? delay.DueUs - logTimeUs : 0,
        };
        for (LinkedListNode<ClaimPart>? node = resource.Holders.First; node is not null; node = node.Next)
            info.Holders.Add(DescribeHolder(node.Value, logTimeUs));
        for (LinkedListNode<ClaimPart>? node = resource.Queue.First; node is not null; node = node.Next)
        {
            info.Waiters.Add(DescribeWaiter(node.Value, logTimeUs));
            if (ReferenceEquals(node.Value.Claim, upTo))
                break;
        }
        return info;
    }

    /// <summary>Null: no such request waits.</summary>
    public static Claim? FindWait(CoordinationState state, GetWait wait)
    {
        Session? session = state.Sessions.Find(wait.SessionId);
        Claim? claim = wait.RequestId != 0
            ? session?.FindClaimByRequest(wait.RequestId)
            : session?.FindClaimByEntry(wait.EntryIndex);
        return claim is { IsHolding: false } ? claim : null;
    }

    public static ForcedRelease Describe(long number, ForcedReleaseRecord record, long logTimeUs) => new()
    {
        Number = number,
        EntryIndex = record.EntryIndex,
        AgoUs = logTimeUs - record.AtUs,
        Kind = record.Kind,
        Name = record.Name,
        SessionId = record.SessionId,
        Token = record.Token,
        Label = record.Label,
        Caller = record.Caller,
        Reason = record.Reason,
    };

    /// <summary>In an order of its own: the list's is not part of the state.</summary>
    public static List<SessionHolding> HeldBy(Session session)
    {
        var held = new List<SessionHolding>();
        foreach (Claim claim in session.Holdings)
        {
            foreach (ClaimPart part in claim.Parts)
            {
                held.Add(new SessionHolding
                {
                    Kind = part.Resource.Kind,
                    Name = part.Resource.Name,
                    Token = claim.Token,
                    EntryIndex = claim.Id,
                    RequestId = claim.RequestId,
                    ReleaseRequested = part.Asked is not null,
                    ReleaseReason = part.Asked?.Reason ?? "",
                });
            }
        }
        held.Sort((x, y) => x.Kind != y.Kind ? x.Kind.CompareTo(y.Kind)
            : string.CompareOrdinal(x.Name, y.Name) is not 0 and var names ? names
            : x.EntryIndex.CompareTo(y.EntryIndex));
        return held;
    }

    private static LockHolder DescribeHolder(ClaimPart part, long logTimeUs)
    {
        Claim claim = part.Claim;
        var holder = new LockHolder
        {
            SessionId = claim.Session?.Id ?? 0,
            Token = claim.Token,
            HeldUs = logTimeUs - claim.SinceUs,
            Label = claim.Label,
            SessionMetadata = claim.Session?.Metadata ?? "",
            Shared = part.Mode == HoldingMode.Shared,
            Permits = part.Permits,
            Floor = part.Floor,
            Holds = part.Holds,
            RemainingUs = RemainingUs(claim, logTimeUs),
            TraceId = claim.TraceId,
            Value = claim.Value,
        };
        if (part.Asked is { } asked)
        {
            holder.ReleaseRequested = true;
            holder.ReleaseReason = asked.Reason;
            holder.ReleaseRequestedUs = logTimeUs - asked.SinceUs;
        }
        return holder;
    }

    private static LockWaiter DescribeWaiter(ClaimPart part, long logTimeUs) => new()
    {
        SessionId = part.Claim.Session!.Id,
        EntryIndex = part.Claim.Id,
        WaitedUs = logTimeUs - part.Claim.SinceUs,
        RemainingUs = RemainingUs(part.Claim, logTimeUs),
        Label = part.Claim.Label,
        Shared = part.Mode == HoldingMode.Shared,
        Permits = part.Permits,
        Upgrade = part.Claim.IsUpgrade,
        Resources = part.Claim.Parts.Count,
        TraceId = part.Claim.TraceId,
        Value = part.Claim.Value,
    };

    private static long RemainingUs(Claim claim, long logTimeUs) =>
        claim.DueUs == long.MaxValue ? CommandRules.UnboundedWait : claim.DueUs - logTimeUs;
}
