using Coordinator.Contracts;

namespace Coordinator.Replica.State;

/// <summary>Answers queries from one state. Times are spans of log time; every answer says what it reflects.</summary>
internal static class StateQueries
{
    public static QueryAnswer Answer(CoordinationState state, Query query)
    {
        var answer = new QueryAnswer
        {
            Position = new Position
            {
                Group = state.Membership.Group,
                Term = state.AppliedTerm.Value,
                Index = state.AppliedIndex,
                Revision = state.Revision,
            },
        };
        if (QueryRules.Check(query) is { } refusal)
            return Refuse(answer, refusal.Code, refusal.Message);
        return query.QueryCase switch
        {
            Query.QueryOneofCase.GetConfig =>
                WithCode(answer, ConfigQueries.Get(state.Config, query.GetConfig, answer)),
            Query.QueryOneofCase.ListConfig =>
                WithCode(answer, ConfigQueries.List(state.Config, query.ListConfig, answer)),
            Query.QueryOneofCase.GetLock => GetLock(state, query.GetLock, answer),
            Query.QueryOneofCase.ListLocks => ListLocks(state, query.ListLocks, answer),
            Query.QueryOneofCase.GetSession => GetSession(state, query.GetSession.SessionId, answer),
            Query.QueryOneofCase.ListSessions => ListSessions(state, query.ListSessions, answer),
            Query.QueryOneofCase.GetWait => GetWait(state, query.GetWait, answer),
            Query.QueryOneofCase.ListForcedReleases => ListForcedReleases(state, query.ListForcedReleases, answer),
            _ => throw new InvalidOperationException($"{query.QueryCase} passed the rules but is no query."),
        };
    }

    private static QueryAnswer WithCode(QueryAnswer answer, ErrorCode code) =>
        code == ErrorCode.Ok ? answer : Refuse(answer, code);

    private static QueryAnswer GetLock(CoordinationState state, GetLock query, QueryAnswer answer)
    {
        if (state.Holdings.Find(query.Kind, query.Name) is not { } resource)
            return Refuse(answer, ErrorCode.LockNotFound);
        answer.Locks.Add(HoldingQueries.Describe(resource, state.LogTimeUs));
        return answer;
    }

    private static QueryAnswer ListLocks(CoordinationState state, ListLocks list, QueryAnswer answer)
    {
        var page = new Page(list.Limit);
        SortedBlocks<string, Resource, OrdinalOrder>.Cursor resources =
            Start(state.Holdings.Of(list.Kind), list.Prefix, list.AfterName);
        while (resources.MoveNext() && resources.Key.StartsWith(list.Prefix, StringComparison.Ordinal))
        {
            LockInfo info = HoldingQueries.Describe(resources.Current, state.LogTimeUs);
            if (!page.Takes(info.CalculateSize()))
            {
                answer.More = true;
                break;
            }
            answer.Locks.Add(info);
        }
        return answer;
    }

    private static QueryAnswer GetWait(CoordinationState state, GetWait query, QueryAnswer answer)
    {
        if (HoldingQueries.FindWait(state, query) is not { } claim)
            return Refuse(answer, ErrorCode.NotWaiting);
        foreach (ClaimPart part in claim.Parts)
            answer.Locks.Add(HoldingQueries.Describe(part.Resource, state.LogTimeUs, upTo: claim));
        return answer;
    }

    private static QueryAnswer ListForcedReleases(CoordinationState state, ListForcedReleases list, QueryAnswer answer)
    {
        var page = new Page(list.Limit);
        long number = state.ForcedReleases.FirstNumber;
        foreach (ForcedReleaseRecord record in state.ForcedReleases.Records)
        {
            ForcedRelease forced = HoldingQueries.Describe(number++, record, state.LogTimeUs);
            if (forced.Number <= list.AfterNumber)
                continue;
            if (!page.Takes(forced.CalculateSize()))
            {
                answer.More = true;
                break;
            }
            answer.ForcedReleases.Add(forced);
        }
        return answer;
    }

    private static QueryAnswer GetSession(CoordinationState state, long sessionId, QueryAnswer answer)
    {
        if (state.Sessions.Find(sessionId) is not { } session)
            return Refuse(answer, ErrorCode.SessionNotFound);
        SessionInfo info = Describe(session, state.LogTimeUs);
        info.Holdings.Add(HoldingQueries.HeldBy(session));
        answer.Sessions.Add(info);
        return answer;
    }

    private static QueryAnswer ListSessions(CoordinationState state, ListSessions list, QueryAnswer answer)
    {
        var page = new Page(list.Limit);
        foreach (Session session in state.Sessions.ById.After(list.AfterSessionId))
        {
            SessionInfo info = Describe(session, state.LogTimeUs);
            if (!page.Takes(info.CalculateSize()))
            {
                answer.More = true;
                break;
            }
            answer.Sessions.Add(info);
        }
        return answer;
    }

    internal static SortedBlocks<string, T, OrdinalOrder>.Cursor Start<T>(
        SortedBlocks<string, T, OrdinalOrder> map, string prefix, string after)
        where T : class =>
        after.Length > 0 && string.CompareOrdinal(after, prefix) >= 0 ? map.After(after) : map.From(prefix);

    private static SessionInfo Describe(Session session, long logTimeUs)
    {
        var info = new SessionInfo
        {
            SessionId = session.Id,
            TtlUs = session.TtlUs,
            // A keep-alive counts from the leader's clock, which may be ahead of the log's: never more than the TTL is told.
            RemainingUs = Math.Min(session.DueUs - logTimeUs, session.TtlUs),
            Metadata = session.Metadata,
            Caller = session.Caller,
            Waiting = session.Waits.Count,
            AgeUs = logTimeUs - session.CreatedUs,
        };
        // The list's own order is not part of the state: a replica that began with a snapshot has another.
        var names = new List<string>(session.Holdings.Count);
        foreach (Claim holding in session.Holdings)
        {
            foreach (ClaimPart part in holding.Parts)
            {
                if (part.Resource.Kind == HoldingKind.Lock)
                    names.Add(part.Resource.Name);
            }
        }
        names.Sort(string.CompareOrdinal);
        info.Locks.Add(names);
        return info;
    }

    private static QueryAnswer Refuse(QueryAnswer answer, ErrorCode code, string? message = null)
    {
        answer.Error = code;
        answer.Message = message ?? ErrorText.Of(code);
        return answer;
    }

    /// <summary>What fits on a page: so many items, so many bytes, but always one item, so that listings get on.</summary>
    internal struct Page(int limit)
    {
        private int _items = QueryRules.PageItems(limit);
        private int _bytes;
        private bool _hasItem;

        public bool Takes(int bytes)
        {
            if (_items == 0 || (_hasItem && _bytes + bytes > Limits.PageBytesMax))
                return false;
            _items--;
            _bytes += bytes;
            _hasItem = true;
            return true;
        }
    }
}
