using Coordinator.Contracts;
using Coordinator.Silo.Http;

namespace Coordinator.Silo.Wire;

/// <summary>What is answered, in place of serving it, to a request that comes past a bound or while the silo stops.</summary>
internal sealed class WireRefusals(HttpInterfaceOptions options)
{
    public const string Stopping = "This silo is stopping.";

    /// <param name="open">How many of the kind are open already.</param>
    public ErrorCode? PastBound(OpenKind kind, int open)
    {
        if (open < MaxOf(kind))
            return null;
        return kind == OpenKind.Watch ? ErrorCode.TooManyWatches : ErrorCode.Overloaded;
    }

    public ServerFrame Answer(ClientFrame frame, ErrorCode code)
    {
        string message = code switch
        {
            ErrorCode.Stopping => Stopping,
            ErrorCode.TooManyWatches => $"The connection has {options.WatchesPerConnectionMax} open watches.",
            _ => $"The connection has {options.OpenRequestsPerConnectionMax} open requests.",
        };
        ServerFrame answer = new() { CorrelationId = frame.CorrelationId };
        if (frame.BodyCase == ClientFrame.BodyOneofCase.Command)
            answer.Command = new CommandAnswer { Result = new CommandResult { Error = code }, Message = message };
        else if (frame.BodyCase == ClientFrame.BodyOneofCase.Query)
            answer.Query = new QueryAnswer { Error = code, Message = message };
        else if (frame.BodyCase == ClientFrame.BodyOneofCase.Watch)
            answer.WatchPage = new WatchPage { Error = code, Message = message };
        else if (frame.BodyCase == ClientFrame.BodyOneofCase.Cluster)
            answer.Cluster = new ClusterAnswer { Error = code, Message = message };
        else
            answer.KeepAlive = new KeepAliveAnswer { SessionId = frame.KeepAlive.SessionId, Error = code };
        return answer;
    }

    private int MaxOf(OpenKind kind) =>
        kind == OpenKind.Watch ? options.WatchesPerConnectionMax : options.OpenRequestsPerConnectionMax;
}
