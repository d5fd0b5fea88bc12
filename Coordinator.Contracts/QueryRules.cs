namespace Coordinator.Contracts;

/// <summary>What must hold of a query whatever the state; see <see cref="CommandRules"/>.</summary>
public static class QueryRules
{
    /// <summary>Null when <paramref name="query"/> can be answered; otherwise why not.</summary>
    public static (ErrorCode Code, string Message)? Check(Query query) => query.SeenIndex < 0
        ? (ErrorCode.InvalidRequest, "seen_index may not be negative.")
        : CheckQuery(query);

    private static (ErrorCode Code, string Message)? CheckQuery(Query query) => query.QueryCase switch
    {
        Query.QueryOneofCase.GetConfig =>
            CheckName(query.GetConfig.Key) ?? CheckRevision(query.GetConfig.Revision),
        Query.QueryOneofCase.GetLock => HoldingRules.CheckKind(query.GetLock.Kind) ?? CheckName(query.GetLock.Name),
        Query.QueryOneofCase.GetSession => CheckSession(query.GetSession.SessionId),
        Query.QueryOneofCase.ListConfig =>
            CheckPage(query.ListConfig.Prefix, query.ListConfig.AfterKey, query.ListConfig.Limit)
            ?? CheckRevision(query.ListConfig.Revision),
        Query.QueryOneofCase.ListLocks =>
            HoldingRules.CheckKind(query.ListLocks.Kind)
            ?? CheckPage(query.ListLocks.Prefix, query.ListLocks.AfterName, query.ListLocks.Limit),
        Query.QueryOneofCase.ListSessions =>
            CheckSession(query.ListSessions.AfterSessionId) ?? CheckPage("", "", query.ListSessions.Limit),
        Query.QueryOneofCase.GetWait => CheckWait(query.GetWait),
        Query.QueryOneofCase.ListForcedReleases =>
            CheckForcedReleases(query.ListForcedReleases) ?? CheckPage("", "", query.ListForcedReleases.Limit),
        _ => (ErrorCode.InvalidRequest, "The query asks for nothing that this version knows."),
    };

    /// <summary>How many items a page holds when <paramref name="limit"/> are asked for; 0: as many as may be.</summary>
    public static int PageItems(int limit) => limit == 0 ? Limits.PageItemsMax : Math.Min(limit, Limits.PageItemsMax);

    private static (ErrorCode, string)? CheckWait(GetWait wait) =>
        wait.SessionId <= 0 || wait.RequestId < 0 || wait.EntryIndex < 0 || (wait.RequestId == 0) == (wait.EntryIndex == 0)
            ? (ErrorCode.InvalidRequest, "A wait is named by its session_id and either its request_id or its entry_index.")
            : null;

    private static (ErrorCode, string)? CheckForcedReleases(ListForcedReleases list) =>
        list.AfterNumber < 0 ? (ErrorCode.InvalidRequest, "after_number may not be negative.") : null;

    private static (ErrorCode, string)? CheckPage(string prefix, string after, int limit)
    {
        if (limit < 0)
            return (ErrorCode.InvalidRequest, $"A page of {limit} items is no page: the limit may not be negative.");
        string? problem = ResourceName.PrefixProblem(prefix) ?? ResourceName.PrefixProblem(after);
        return problem is null ? null : (ErrorCode.InvalidName, problem);
    }

    private static (ErrorCode, string)? CheckName(string name) =>
        ResourceName.Problem(name) is { } problem ? (ErrorCode.InvalidName, problem) : null;

    private static (ErrorCode, string)? CheckRevision(long revision) =>
        revision < 0 ? (ErrorCode.InvalidRequest, "A revision may not be negative.") : null;

    private static (ErrorCode, string)? CheckSession(long sessionId) =>
        sessionId < 0 ? (ErrorCode.InvalidRequest, "A session id may not be negative.") : null;
}
