using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>What the interfaces log. Ids 1100 to 1199 are theirs.</summary>
internal static partial class HttpLog
{
    [LoggerMessage(1100, LogLevel.Error,
        "The command {Operation} failed in the silo; its caller was told that the outcome is unknown")]
    public static partial void CommandFailed(
        this ILogger logger, Exception exception, Command.OperationOneofCase operation);

    [LoggerMessage(1101, LogLevel.Error, "The query {Query} failed in the silo")]
    public static partial void QueryFailed(this ILogger logger, Exception exception, Query.QueryOneofCase query);

    [LoggerMessage(1102, LogLevel.Error, "The keep-alive of session {SessionId} failed in the silo")]
    public static partial void KeepAliveFailed(this ILogger logger, Exception exception, long sessionId);

    [LoggerMessage(1104, LogLevel.Error, "The watch of {What} failed in the silo")]
    public static partial void WatchFailed(this ILogger logger, Exception exception, Watch.WatchOneofCase what);

    [LoggerMessage(1103, LogLevel.Error, "{Method} {Path} failed in the silo")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method, string path);

    [LoggerMessage(1105, LogLevel.Warning,
        "Cut off the event stream {Path}: its client took nothing for {Timeout}")]
    public static partial void StreamCutOff(this ILogger logger, string path, TimeSpan timeout);

    [LoggerMessage(1106, LogLevel.Error, "{Request} of a group failed in the silo")]
    public static partial void AdministrationFailed(
        this ILogger logger, Exception exception, ClusterRequest.RequestOneofCase request);

    [LoggerMessage(1110, LogLevel.Warning,
        "Refused a request for the unknown host \"{Host}\": add it to AllowedHosts if it is this silo's")]
    public static partial void ForbiddenHost(this ILogger logger, string host);

    [LoggerMessage(1111, LogLevel.Warning,
        "Refused {Method} from the foreign origin \"{Origin}\": add it to AllowedOrigins if it may call")]
    public static partial void ForbiddenOrigin(this ILogger logger, string method, string origin);

    [LoggerMessage(1120, LogLevel.Debug, "Connection {ConnectionId}: opened by \"{ClientName}\"")]
    public static partial void WireOpened(this ILogger logger, string connectionId, string clientName);

    [LoggerMessage(1121, LogLevel.Debug, "Connection {ConnectionId}: ended")]
    public static partial void WireEnded(this ILogger logger, string connectionId);

    [LoggerMessage(1122, LogLevel.Warning, "Connection {ConnectionId}: closed for {Code}: {Reason}")]
    public static partial void WireRefused(this ILogger logger, string connectionId, ErrorCode code, string reason);

    [LoggerMessage(1123, LogLevel.Error, "Connection {ConnectionId}: failed in the silo")]
    public static partial void WireFailed(this ILogger logger, Exception exception, string connectionId);

    [LoggerMessage(1130, LogLevel.Information, "A snapshot of group {Group} at index {Index}, {Bytes} bytes, goes to {Client}")]
    public static partial void SnapshotSent(this ILogger logger, int group, long index, long bytes, string client);

    [LoggerMessage(1131, LogLevel.Warning, "Whoever asked for a snapshot of group {Group} took nothing for {Timeout}: cut off")]
    public static partial void SnapshotCutOff(this ILogger logger, int group, TimeSpan timeout);

    [LoggerMessage(1132, LogLevel.Error, "Taking a snapshot of group {Group} failed")]
    public static partial void SaveFailed(this ILogger logger, Exception exception, int group);
}
