namespace Coordinator.Contracts;

/// <summary>What must hold of a watch whatever the state; see <see cref="CommandRules"/>.</summary>
public static class WatchRules
{
    /// <summary>Null when <paramref name="watch"/> can be served; otherwise why not.</summary>
    public static (ErrorCode Code, string Message)? Check(Watch watch) => watch.SeenIndex < 0
        ? Invalid("seen_index may not be negative.")
        : watch.WatchCase switch
        {
            Watch.WatchOneofCase.Config => CheckConfig(watch.Config),
            Watch.WatchOneofCase.Election => CheckElection(watch.Election),
            Watch.WatchOneofCase.Session => CheckSession(watch.Session),
            _ => Invalid("The watch is of nothing that this version knows."),
        };

    private static (ErrorCode, string)? CheckConfig(WatchConfig config)
    {
        if (config.FromRevision < 0)
            return Invalid("A revision may not be negative.");
        string? problem = config.IsPrefix ? ResourceName.PrefixProblem(config.Key) : ResourceName.Problem(config.Key);
        return problem is null ? null : (ErrorCode.InvalidName, problem);
    }

    private static (ErrorCode, string)? CheckElection(ObserveElection election) =>
        ResourceName.Problem(election.Name) is { } problem ? (ErrorCode.InvalidName, problem)
        : election.Seen is { } seen && (seen.Token < 0 || seen.SessionId < 0)
            ? Invalid("Neither a token nor a session id may be negative.")
        : null;

    private static (ErrorCode, string)? CheckSession(ObserveSession session) =>
        session.SessionId <= 0 ? Invalid($"{session.SessionId} is no session id.")
        : session.SeenNotice < 0 ? Invalid("seen_notice may not be negative.")
        : null;

    private static (ErrorCode, string) Invalid(string message) => (ErrorCode.InvalidRequest, message);
}
