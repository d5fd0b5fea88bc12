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
            Query.QueryOneofCase.GetLock => GetLock(state, query.GetLock.Name, answer),
            Query.QueryOneofCase.ListLocks => ListLocks(state, query.ListLocks, answer),
            Query.QueryOneofCase.GetSession => GetSession(state, query.GetSession.SessionId, answer),
            Query.QueryOneofCase.ListSessions => ListSessions(state, query.ListSessions, answer),
            _ => throw new InvalidOperationException($"{query.QueryCase} passed the rules but is no query."),
        };
    }

    private static QueryAnswer WithCode(QueryAnswer answer, ErrorCode code) =>
        code == ErrorCode.Ok ? answer : Refuse(answer, code);

    private static QueryAnswer GetLock(CoordinationState state, string name, QueryAnswer answer)
    {
        if (!state.Locks.Resources.TryGet(name, out LockResource? resource))
            return Refuse(answer, ErrorCode.LockNotFound);
        answer.Locks.Add(Describe(resource, state.LogTimeUs));
        return answer;
    }

    private static QueryAnswer ListLocks(CoordinationState state, ListLocks list, QueryAnswer answer)
    {
        var page = new Page(list.Limit);
        SortedBlocks<string, LockResource, OrdinalOrder>.Cursor resources =
            Start(state.Locks.Resources, list.Prefix, list.AfterName);
        while (resources.MoveNext() && resources.Key.StartsWith(list.Prefix, StringComparison.Ordinal))
        {
            LockInfo info = Describe(resources.Current, state.LogTimeUs);
            if (!page.Takes(info.CalculateSize()))
            {
                answer.More = true;
                break;
            }
            answer.Locks.Add(info);
        }
        return answer;
    }

    private static QueryAnswer GetSession(CoordinationState state, long sessionId, QueryAnswer answer)
    {
        if (state.Sessions.Find(sessionId) is not { } session)
            return Refuse(answer, ErrorCode.SessionNotFound);
        answer.Sessions.Add(Describe(session, state.LogTimeUs));
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

    private static LockInfo Describe(LockResource resource, long logTimeUs)
    {
        var info = new LockInfo { Name = resource.Name };
        if (resource.Holder is { } holder)
        {
            info.Holder = new LockHolder
            {
                SessionId = holder.Session.Id,
                Token = holder.Token,
                HeldUs = logTimeUs - holder.SinceUs,
                Label = holder.Label,
                SessionMetadata = holder.Session.Metadata,
            };
        }
        for (LinkedListNode<Claim>? node = resource.Queue?.First; node is not null; node = node.Next)
        {
            Claim waiter = node.Value;
            info.Waiters.Add(new LockWaiter
            {
                SessionId = waiter.Session.Id,
                EntryIndex = waiter.Id,
                WaitedUs = logTimeUs - waiter.SinceUs,
                RemainingUs = waiter.DueUs == long.MaxValue ? CommandRules.UnboundedWait : waiter.DueUs - logTimeUs,
                Label = waiter.Label,
            });
        }
        return info;
    }

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
            names.Add(holding.Resource.Name);
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
