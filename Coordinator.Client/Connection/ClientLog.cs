using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Microsoft.Extensions.Logging;

namespace Coordinator.Client.Connection;

/// <summary>Every message of the client. Invariant: an event id keeps its meaning; 4000 to 4099 are the client's.</summary>
internal static partial class ClientLog
{
    /// <summary>The category of them all.</summary>
    public const string Category = "Coordinator.Client";

    public static void Write(ILogger log, int group, ClientEvent happened)
    {
        switch (happened)
        {
            case ClientEvent.Connected(var endpoint, var siloId):
                Connected(log, group, endpoint, siloId);
                break;
            case ClientEvent.NotConnected(var endpoint, var reason, var isRepeated):
                // An outage of hours is one warning an endpoint, not one an attempt.
                NotConnected(log, isRepeated ? LogLevel.Debug : LogLevel.Warning, endpoint, reason);
                break;
            case ClientEvent.SessionOpened(var sessionId, var ttl):
                SessionOpened(log, group, sessionId, ttl);
                break;
            case ClientEvent.SessionRefused(var code, var reason):
                SessionRefused(log, group, code, reason);
                break;
            case ClientEvent.SessionLost(var sessionId, var reason, var isStopping):
                SessionLost(log, isStopping ? LogLevel.Information : LogLevel.Warning, group, sessionId, reason);
                break;
            case ClientEvent.SessionNotObserved(var sessionId, var code, var reason):
                SessionNotObserved(log, group, sessionId, code, reason);
                break;
            case ClientEvent.HoldingLost(var name, var token, var reason):
                HoldingLost(log, name, token, reason);
                break;
            case ClientEvent.ReleaseRequested(var name, var token, var reason):
                ReleaseRequested(log, name, token, reason);
                break;
            case ClientEvent.ReleaseRefused(var code, var reason):
                ReleaseRefused(log, code, reason);
                break;
            case ClientEvent.LeaseLost(var name, var token, var reason, var isStopping):
                LeaseLost(log, isStopping ? LogLevel.Information : LogLevel.Warning, name, token, reason);
                break;
            default:
                throw new InvalidOperationException($"{happened} has no message.");
        }
    }

    [LoggerMessage(4000, LogLevel.Information, "Connected to {Endpoint} (silo {SiloId}), for group {Group}")]
    private static partial void Connected(ILogger log, int group, string endpoint, string siloId);

    [LoggerMessage(EventId = 4001, Message = "No connection to {Endpoint}: {Reason}")]
    private static partial void NotConnected(ILogger log, LogLevel level, string endpoint, string reason);

    [LoggerMessage(4010, LogLevel.Information, "Session {SessionId} of group {Group} is open for {Ttl}")]
    private static partial void SessionOpened(ILogger log, int group, long sessionId, TimeSpan ttl);

    [LoggerMessage(4011, LogLevel.Warning, "No session in group {Group}: {Code}. {Reason}")]
    private static partial void SessionRefused(ILogger log, int group, ErrorCode code, string reason);

    [LoggerMessage(EventId = 4012, Message = "Session {SessionId} of group {Group} is over. {Reason}")]
    private static partial void SessionLost(ILogger log, LogLevel level, int group, long sessionId, string reason);

    [LoggerMessage(4013, LogLevel.Warning, "Session {SessionId} of group {Group} is not observed: {Code}. {Reason}")]
    private static partial void SessionNotObserved(ILogger log, int group, long sessionId, ErrorCode code, string reason);

    [LoggerMessage(4020, LogLevel.Warning, "\"{Name}\" with token {Token} is lost. {Reason}")]
    private static partial void HoldingLost(ILogger log, string name, long token, string reason);

    [LoggerMessage(4021, LogLevel.Information, "The release of \"{Name}\" with token {Token} is asked for: {Reason}")]
    private static partial void ReleaseRequested(ILogger log, string name, long token, string reason);

    [LoggerMessage(4022, LogLevel.Warning, "A release was refused, and is asked for again: {Code}. {Reason}")]
    private static partial void ReleaseRefused(ILogger log, ErrorCode code, string reason);

    [LoggerMessage(EventId = 4030, Message = "Lease \"{Name}\" with token {Token} is over. {Reason}")]
    private static partial void LeaseLost(ILogger log, LogLevel level, string name, long token, string reason);

    [LoggerMessage(4090, LogLevel.Critical, "The client has stopped, by a fault of its own")]
    public static partial void Faulted(ILogger log, Exception fault);
}
