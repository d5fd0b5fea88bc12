using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>
/// /v1/locks: list, get, acquire, release. The last segment of a POST is the verb, all before it the name.
/// </summary>
internal sealed class LockResource(CheckedGateway gateway, HttpInterfaceOptions options)
{
    /// <summary>The word for a wait without an end; a negative number is too easily made by mistake.</summary>
    public const string Unbounded = "unbounded";

    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", "/v1/locks", (context, target, _) => ListAsync(context, target)),
        new("GET", "/v1/locks/{name}", HttpRoute.WithName(GetAsync)),
        new("POST", "/v1/locks/{name}/acquire", HttpRoute.WithName(AcquireAsync)),
        new("POST", "/v1/locks/{name}/release", HttpRoute.WithName(ReleaseAsync)),
    ];

    private async Task AcquireAsync(HttpContext context, RequestTarget target, string name)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: true);
        fields.Choice("mode", "exclusive");
        command.AcquireLock = new AcquireLock
        {
            Name = name,
            WaitUs = fields.IsWord("waitSeconds", Unbounded)
                ? CommandRules.UnboundedWait
                : fields.Microseconds("waitSeconds", ErrorCode.InvalidWait, TimeSpan.Zero, Limits.WaitMax) ?? 0,
            Label = fields.Text("label", ResourceName.LabelProblem, ErrorCode.InvalidRequest),
        };
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command) is not { } result)
            return;
        else if (result.Outcome != Outcome.Granted)
            // Cancelled, by a repeat or before it: no error of the command, and nothing is held (rule 16).
            await Problems.WriteAsync(context, ErrorCode.LockNotAcquired, detail: null);
        else
            await Answers.WriteAsync(context, json =>
            {
                json.WriteString("name", name);
                json.WriteId("sessionId", command.SessionId);
                json.WriteNumber("token", result.Token);
                json.WriteNumber("floor", result.Floor);
            });
    }

    private async Task ReleaseAsync(HttpContext context, RequestTarget target, string name)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: true);
        command.ReleaseLock = new ReleaseLock { Name = name, Token = fields.Count("token") };
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command) is not null)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteString("name", name);
                json.WriteBoolean("released", true);
            });
    }

    private async Task GetAsync(HttpContext context, RequestTarget target, string name)
    {
        Query query = new() { GetLock = new GetLock { Name = name } };
        if (await Queries.ExecuteAsync(context, gateway, query, QueryString.Read(target.Query)) is { } answer)
            await Answers.WriteAsync(context, json => LockJson.Write(json, answer.Locks[0]));
    }

    private async Task ListAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = QueryString.Read(target.Query);
        ListLocks list = new()
        {
            Prefix = fields.Text("prefix", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            AfterName = fields.Text("after", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            Limit = (int)fields.Count("limit", Limits.PageItemsMax),
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { ListLocks = list }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteStartArray("locks");
                foreach (LockInfo info in answer.Locks)
                {
                    json.WriteStartObject();
                    LockJson.Write(json, info);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteBoolean("more", answer.More);
            });
    }
}
