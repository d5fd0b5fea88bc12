using Coordinator.Contracts;

namespace Coordinator.Silo.Links;

/// <summary>What the links between silos log. Ids 1200 to 1299 are theirs.</summary>
internal static partial class LinkLog
{
    [LoggerMessage(1200, LogLevel.Information, "Link with silo {Silo}: up")]
    public static partial void LinkIsUp(this ILogger logger, string silo);

    [LoggerMessage(1201, LogLevel.Warning, "Link with silo {Silo}: lost: {Reason}")]
    public static partial void LinkIsLost(this ILogger logger, string silo, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "Link with silo {Silo}: not reached at {Address}: {Reason}")]
    public static partial void NotReached(this ILogger logger, string silo, Uri address, string reason);

    [LoggerMessage(1203, LogLevel.Error, "Silo {Silo} refused this one for {Refusal}: {Reason}")]
    public static partial void RefusedBy(this ILogger logger, string silo, LinkRefusal refusal, string reason);

    [LoggerMessage(1204, LogLevel.Error, "Refused a caller from {Remote} that names itself silo {Silo}, for {Refusal}: {Reason}")]
    public static partial void RefusedCaller(
        this ILogger logger, string remote, string silo, LinkRefusal refusal, string reason);

    [LoggerMessage(1205, LogLevel.Error, "Link with silo {Silo}: dropped a message: {Problem}")]
    public static partial void BadEnvelope(this ILogger logger, string silo, string problem);

    [LoggerMessage(1206, LogLevel.Error,
        "Link with silo {Silo}: dropped a message of {Bytes} bytes, over the limit of {Limit}")]
    public static partial void MessageTooLarge(this ILogger logger, string silo, int bytes, int limit);

    [LoggerMessage(1207, LogLevel.Error, "A request that silo {Silo} forwarded failed in this one")]
    public static partial void ForwardedFailed(this ILogger logger, Exception exception, string silo);

    [LoggerMessage(1208, LogLevel.Error, "Link with silo {Silo}: failed in this silo")]
    public static partial void LinkFailed(this ILogger logger, Exception exception, string silo);
}
