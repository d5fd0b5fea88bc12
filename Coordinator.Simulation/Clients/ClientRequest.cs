using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Simulation.Clients;

/// <summary>
/// Something that a client asks for, and asks for again under the same request id until it is answered for good
/// (rule 14).
/// </summary>
internal sealed class ClientRequest
{
    public ClientRequest(Command command)
    {
        Command = command;
        Payload = command.ToByteArray();
    }

    public ClientRequest(Query query) => Query = query;

    public Command? Command { get; }

    public ReadOnlyMemory<byte> Payload { get; }

    public Query? Query { get; }

    public ClientSession? Session { get; init; }

    /// <summary>Outside a session a command is proposed at most once: nobody repeats it (rule 15).</summary>
    public bool IsRepeatable { get; init; } = true;

    public required SentTime FirstSent { get; init; }

    /// <summary>What was known to be complete when a read was asked for: it may not answer with less.</summary>
    public long FloorIndex { get; init; }

    public int Sends { get; set; }

    /// <summary>A wait in the log may last: it isn't answered soon.</summary>
    public bool IsQuiet { get; set; }

    public bool IsDone { get; set; }

    /// <summary>A cancel that gives back is on its way: a grant heard now may be gone already.</summary>
    public bool IsGivenBack { get; set; }

    /// <summary>It was granted, which was heard while it was being given back: from then on it can only end.</summary>
    public bool WasGranted { get; set; }

    /// <summary>Called once, with the final answer; null: nobody will ever know.</summary>
    public Action<CommandAnswer?>? Commanded { get; init; }

    public Action<QueryAnswer>? Queried { get; init; }

    public override string ToString() => Query is { } query
        ? $"{query.QueryCase}{(query.Serializable ? " serializable" : "")} {query.GetConfig}{query.ListConfig}"
        : $"{Command!.OperationCase} {Command.SessionId}.{Command.RequestId} {Value()}";

    private string Value() => Command!.OperationCase switch
    {
        Command.OperationOneofCase.PutConfig => Command.PutConfig.Value.ToStringUtf8().TrimEnd('x'),
        Command.OperationOneofCase.AcquireLock => Command.AcquireLock.Name,
        Command.OperationOneofCase.ReleaseLock => Command.ReleaseLock.Name,
        _ => "",
    };
}
