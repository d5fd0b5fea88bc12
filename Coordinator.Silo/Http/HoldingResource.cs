using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// What sessions hold, of one kind: /v1/locks, /v1/semaphores, /v1/elections. List, get, and the verbs of the kind. The
/// last segment of a POST is the verb, all before it the name.
/// </summary>
internal sealed class HoldingResource(CheckedGateway gateway, HttpInterfaceOptions options, HoldingKind kind)
{
    /// <summary>The word for a wait without an end; a negative number is too easily made by mistake.</summary>
    public const string Unbounded = "unbounded";

    private readonly HoldingPages _pages = new(gateway, kind);

    public Task RouteAsync(HttpContext context, RequestTarget target, string[] rest)
    {
        string method = context.Request.Method;
        bool isGet = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        if (rest.Length == 0)
            return isGet ? _pages.ListAsync(context, target) : Problems.MethodNotAllowedAsync(context, "GET, HEAD");
        if (isGet)
            return WithNameAsync(context, rest, name => _pages.GetAsync(context, target, name));
        if (!HttpMethods.IsPost(method))
            return Problems.MethodNotAllowedAsync(context, "GET, HEAD, POST");
        return OperationOf(rest[^1]) is { } operation
            ? WithNameAsync(context, rest[..^1], name => ExecuteAsync(context, target, name, operation))
            : Problems.UnknownPathAsync(context,
                $"The path of a POST ends with what to do: {_pages.Path}/{{name}}/{string.Join(" or /", Verbs())}.");
    }

    public static Task WithNameAsync(HttpContext context, string[] segments, Func<string, Task> next) =>
        RequestTarget.ReadName(segments, out string name) is { } refusal
            ? Problems.WriteAsync(context, refusal)
            : next(name);

    private string[] Verbs() => kind switch
    {
        HoldingKind.Lock => ["acquire", "release", "downgrade"],
        HoldingKind.Election => ["campaign", "proclaim", "resign", "hand-over"],
        _ => ["acquire", "release"],
    };

    private Action<Command, string, Fields>? OperationOf(string verb) => !Verbs().Contains(verb) ? null : verb switch
    {
        "acquire" or "campaign" => (command, name, fields) => command.AcquireLock = Acquire(name, fields),
        "release" or "resign" => (command, name, fields) => command.ReleaseLock = new ReleaseLock
        {
            Kind = kind,
            Name = name,
            Token = fields.Count("token"),
            Permits = kind == HoldingKind.Semaphore ? (int)fields.Count("permits", Limits.PermitsMax) : 0,
        },
        "downgrade" => (command, name, fields) =>
            command.DowngradeLock = new DowngradeLock { Name = name, Token = fields.Count("token") },
        "proclaim" => (command, name, fields) =>
            command.Proclaim = new Proclaim { Name = name, Token = fields.Count("token"), Value = Label(fields, "value") },
        _ => (command, name, fields) => command.HandOver = new HandOver
        {
            Name = name,
            Token = fields.Count("token"),
            ToSessionId = fields.Id("toSessionId", required: true),
        },
    };

    private AcquireLock Acquire(string name, Fields fields)
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
        return acquire;
    }

    private static string Label(Fields fields, string name) =>
        fields.Text(name, ResourceName.LabelProblem, ErrorCode.InvalidRequest);

    private async Task ExecuteAsync(
        HttpContext context, RequestTarget target, string name, Action<Command, string, Fields> fill)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: true);
        fill(command, name, fields);
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command) is not { } result)
            return;
        else if (command.AcquireLock is not null && result.Outcome != Outcome.Granted)
            // Cancelled, by a repeat or before it: no error of the command, and nothing is held (rule 16).
            await Problems.WriteAsync(context, ErrorCode.LockNotAcquired, detail: null);
        else
            await Answers.WriteAsync(context, json => WriteResult(json, name, command, result));
    }

    private static void WriteResult(Utf8JsonWriter json, string name, Command command, CommandResult result)
    {
        json.WriteString("name", name);
        switch (command.OperationCase)
        {
            case Command.OperationOneofCase.AcquireLock:
                json.WriteId("sessionId", command.SessionId);
                json.WriteNumber("token", result.Token);
                json.WriteNumber("floor", result.Floor);
                if (result.Holds > 0)
                    json.WriteNumber("holds", result.Holds);
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
