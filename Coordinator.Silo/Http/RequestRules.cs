using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>What can be refused about a client's command or query without looking at the state. Nothing was proposed then.</summary>
internal static class RequestRules
{
    private const int NonceBytes = 16;

    public static Refusal? Check(Command command)
    {
        if (command.SessionId < 0 || command.RequestId < 0 || command.AnsweredBelow < 0)
            return Invalid("Session id, request id and answered-below are not negative.");
        if (command.RequestId > 0 && command.AnsweredBelow > command.RequestId)
            return Invalid($"Request {command.RequestId} is below answered-below {command.AnsweredBelow}.");
        if (command.RequestId > 0 && command.SessionId == 0)
            return Invalid("A request id counts within a session: name the session.");
        if (command.CalculateSize() > Limits.RequestBytesMax)
            return new Refusal(ErrorCode.RequestTooLarge, $"The request is over {Limits.RequestBytesMax} bytes.");
        return CheckOperation(command);
    }

    public static Refusal? Check(Query query) => query.QueryCase switch
    {
        Query.QueryOneofCase.GetConfig => Name(query.GetConfig.Key),
        Query.QueryOneofCase.ListConfig =>
            Page(query.ListConfig.Prefix, query.ListConfig.AfterKey, query.ListConfig.Limit),
        Query.QueryOneofCase.GetLock => Name(query.GetLock.Name),
        Query.QueryOneofCase.ListLocks => Page(query.ListLocks.Prefix, query.ListLocks.AfterName, query.ListLocks.Limit),
        Query.QueryOneofCase.ListSessions => query.ListSessions.AfterSessionId < 0
            ? Invalid("A session id is not negative.")
            : Limit(query.ListSessions.Limit),
        Query.QueryOneofCase.GetSession => query.GetSession.SessionId <= 0 ? Invalid("A session id is positive.") : null,
        _ => Invalid("The query asks for nothing that this silo knows."),
    };

    private static Refusal? CheckOperation(Command command) => command.OperationCase switch
    {
        Command.OperationOneofCase.CreateSession => CheckCreate(command),
        Command.OperationOneofCase.EndSession => InSession(command),
        Command.OperationOneofCase.AcquireLock => InSession(command) ?? Name(command.AcquireLock.Name)
            ?? Wait(command.AcquireLock.WaitUs) ?? Label(command.AcquireLock.Label),
        Command.OperationOneofCase.ReleaseLock => InSession(command) ?? Name(command.ReleaseLock.Name)
            ?? (command.ReleaseLock.Token < 0 ? Invalid("A token is not negative.") : null),
        Command.OperationOneofCase.CancelWait => InSession(command) ?? CheckTarget(command.CancelWait),
        Command.OperationOneofCase.PutConfig => Name(command.PutConfig.Key) ?? Label(command.PutConfig.ContentType)
            ?? Value(command.PutConfig.Value.Length),
        Command.OperationOneofCase.DeleteConfig => Name(command.DeleteConfig.Key),
        // The leader's own entries; a client that could propose them would hold or end other people's sessions.
        Command.OperationOneofCase.KeepAlive or Command.OperationOneofCase.AdvanceTime =>
            Invalid($"{command.OperationCase} is not a client's to propose."),
        _ => Invalid("The command asks for nothing that this silo knows."),
    };

    private static Refusal? CheckCreate(Command command)
    {
        if (command.SessionId != 0)
            return Invalid("A session is created outside any session.");
        if (command.CreateSession.Nonce.Length != NonceBytes)
            return Invalid($"A session's nonce has {NonceBytes} bytes.");
        if (command.CreateSession.TtlUs < Microseconds(Limits.TtlMin) || command.CreateSession.TtlUs > Microseconds(Limits.TtlMax))
            return new Refusal(ErrorCode.InvalidTtl,
                $"A TTL is from {Limits.TtlMin.TotalSeconds} to {Limits.TtlMax.TotalSeconds} seconds.");
        return Label(command.CreateSession.Metadata);
    }

    private static Refusal? CheckTarget(CancelWait cancel) => cancel.TargetCase switch
    {
        CancelWait.TargetOneofCase.RequestId when cancel.RequestId > 0 => null,
        CancelWait.TargetOneofCase.EntryIndex when cancel.EntryIndex > 0 => null,
        _ => Invalid("A cancel names the request id or the entry index of the acquire."),
    };

    private static Refusal? InSession(Command command) =>
        command.SessionId == 0 ? Invalid("This needs a session: \"sessionId\" is missing.") : null;

    private static Refusal? Wait(long waitUs) => waitUs < -1 || waitUs > Microseconds(Limits.WaitMax)
        ? new Refusal(ErrorCode.InvalidWait, $"A wait is from 0 to {Limits.WaitMax.TotalSeconds} seconds, or unbounded.")
        : null;

    private static Refusal? Value(int bytes) => bytes > Limits.ValueBytesMax
        ? new Refusal(ErrorCode.ValueTooLarge, $"The value is over {Limits.ValueBytesMax} bytes.")
        : null;

    private static Refusal? Page(string prefix, string after, int limit) =>
        (ResourceName.PrefixProblem(prefix) ?? ResourceName.PrefixProblem(after)) is { } problem
            ? new Refusal(ErrorCode.InvalidName, problem)
            : Limit(limit);

    private static Refusal? Limit(int limit) => limit is < 0 or > Limits.PageItemsMax
        ? Invalid($"A page has from 1 to {Limits.PageItemsMax} items.")
        : null;

    private static Refusal? Name(string name) =>
        ResourceName.Problem(name) is { } problem ? new Refusal(ErrorCode.InvalidName, problem) : null;

    private static Refusal? Label(string label) =>
        ResourceName.LabelProblem(label) is { } problem ? Invalid(problem) : null;

    private static Refusal Invalid(string message) => new(ErrorCode.InvalidRequest, message);

    private static long Microseconds(TimeSpan span) => (long)span.TotalMicroseconds;
}
