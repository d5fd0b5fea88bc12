using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// What sessions hold, of one kind: /v1/locks, /v1/semaphores, /v1/elections. List, get, and the verbs of the kind. The
/// last segment of a POST is the verb, all before it the name.
/// </summary>
internal sealed class HoldingResource(
    CheckedGateway gateway, HttpInterfaceOptions options, HoldingKind kind, EventStreams? streams = null)
{
    /// <summary>The word for a wait without an end; a negative number is too easily made by mistake.</summary>
    public const string Unbounded = "unbounded";

    private readonly HoldingPages _pages = new(gateway, kind, streams);

    public IReadOnlyList<HttpRoute> Routes =>
    [
        .. _pages.Routes, .. Verbs.Select(ToRoute),
        .. new ForcedResource(gateway, options, kind, _pages.Path).Routes,
    ];

    private (string Verb, Action<Command, string, Fields> Fill)[] Verbs => kind switch
    {
        HoldingKind.Lock => [("acquire", Acquire), ("release", Release), ("downgrade", Downgrade)],
        HoldingKind.Election =>
            [("campaign", Acquire), ("resign", Release), ("proclaim", Proclaim), ("hand-over", HandOver)],
        _ => [("acquire", Acquire), ("release", Release)],
    };

    private HttpRoute ToRoute((string Verb, Action<Command, string, Fields> Fill) one) => new(
        "POST",
        $"{_pages.Path}/{HttpRoute.NameParameter}/{one.Verb}",
        HttpRoute.WithName((context, target, name) => ExecuteAsync(context, target, name, one.Fill)));

    private void Release(Command command, string name, Fields fields) => command.ReleaseLock = new ReleaseLock
    {
        Kind = kind,
        Name = name,
        Token = fields.Count("token"),
        Permits = kind == HoldingKind.Semaphore ? (int)fields.Count("permits", Limits.PermitsMax) : 0,
    };

    private static void Downgrade(Command command, string name, Fields fields) =>
        command.DowngradeLock = new DowngradeLock { Name = name, Token = fields.Count("token") };

    private static void Proclaim(Command command, string name, Fields fields) =>
        command.Proclaim = new Proclaim { Name = name, Token = fields.Count("token"), Value = Label(fields, "value") };

    private void HandOver(Command command, string name, Fields fields) => command.HandOver = new HandOver
    {
        Name = name,
        Token = fields.Count("token"),
        ToSessionId = fields.Session("toSessionId", required: true, gateway.Groups),
    };

    private void Acquire(Command command, string name, Fields fields)
    {
        var acquire = new AcquireLock
        {
            Kind = kind,
            Name = name,
            WaitUs = fields.IsWord("waitSeconds", Unbounded)
                ? CommandRules.UnboundedWait
                : fields.Microseconds("waitSeconds", ErrorCode.InvalidWait, TimeSpan.Zero, Limits.WaitMax) ?? 0,
            Label = Label(fields, "label"),
            TraceId = Label(fields, "traceId"),
            MaxHoldUs = fields.Microseconds("maxHoldSeconds", ErrorCode.InvalidHoldTime, TimeSpan.Zero, Limits.HoldMax) ?? 0,
            LockDelayUs =
                fields.Microseconds("lockDelaySeconds", ErrorCode.InvalidHoldTime, TimeSpan.Zero, Limits.LockDelayMax) ?? 0,
            Concurrent = fields.Choice("concurrent", "false", "true") == "true",
        };
        switch (kind)
        {
            case HoldingKind.Semaphore:
                acquire.Permits = (int)Math.Max(1, fields.Count("permits", Limits.PermitsMax));
                acquire.Limit = (int)fields.Count("limit", Limits.PermitsMax);
                break;
            case HoldingKind.Election:
                acquire.Value = Label(fields, "value");
                break;
            default:
                string mode = fields.Choice("mode", "exclusive", "shared", "upgrade");
                (acquire.Shared, acquire.Upgrade) = (mode == "shared", mode == "upgrade");
                acquire.Reentrant = fields.Choice("reentrant", "false", "true") == "true";
                break;
        }
        if (kind != HoldingKind.Election)
            acquire.Also.Add(AlsoJson.Read(fields));
        command.AcquireLock = acquire;
    }

    private static string Label(Fields fields, string name) =>
        fields.Text(name, ResourceName.LabelProblem, ErrorCode.InvalidRequest);

    private async Task ExecuteAsync(
        HttpContext context, RequestTarget target, string name, Action<Command, string, Fields> fill)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: true, gateway.Groups);
        fill(command, name, fields);
        if (command.AcquireLock is { TraceId: "" } acquire)
            acquire.TraceId = TraceParent.TraceIdOf(context.Request);
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command, fields) is not { } result)
            return;
        else if (command.AcquireLock is not null && result.Outcome != Outcome.Granted)
            // Cancelled, by a repeat or before it: no error of the command, and nothing is held (rule 16).
            await Problems.WriteAsync(context, ErrorCode.LockNotAcquired, detail: null);
        else
            await Answers.WriteAsync(context, json => WriteResult(json, name, gateway.SessionsOf(fields), command, result));
    }

    private static void WriteResult(
        Utf8JsonWriter json, string name, SessionIds sessions, Command command, CommandResult result)
    {
        json.WriteString("name", name);
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.AcquireLock:
                json.WriteSession("sessionId", sessions, command.SessionId);
                json.WriteNumber("token", result.Token);
                json.WriteNumber("floor", result.Floor);
                if (result.Holds > 0)
                    json.WriteNumber("holds", result.Holds);
                AlsoJson.Write(json, command.AcquireLock.Also, result);
                break;
            case Command.OperationOneofCase.ReleaseLock or Command.OperationOneofCase.HandOver:
                json.WriteBoolean("released", result.Holds == 0);
                if (result.Holds > 0)
                    json.WriteNumber("holds", result.Holds);
                break;
            default:
                json.WriteNumber("token", result.Token);
                break;
        }
    }
}
