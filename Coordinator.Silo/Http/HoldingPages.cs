using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>What is read of one kind of holdings: one by name, or a page of them; of elections also who leads, as it changes.</summary>
/// <param name="streams">Of a kind whose only holder can be observed.</param>
internal sealed class HoldingPages(CheckedGateway gateway, HoldingKind kind, EventStreams? streams = null)
{
    private readonly string _plural = kind switch
    {
        HoldingKind.Lock => "locks",
        HoldingKind.Semaphore => "semaphores",
        HoldingKind.Election => "elections",
        _ => "leases",
    };

    public string Path => $"/v1/{_plural}";

    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", Path, (context, target, _) => ListAsync(context, target)),
        new("GET", $"{Path}/{HttpRoute.NameParameter}", HttpRoute.WithName(GetAsync)),
    ];

    private async Task GetAsync(HttpContext context, RequestTarget target, string name)
    {
        Fields fields = QueryString.Read(target.Query);
        if (streams is not null && fields.Choice("observe", "false", "true") == "true")
        {
            await streams.ServeAsync(context, LeaderEvents.Read(context, fields, name), fields, new LeaderEvents(name, gateway.Groups));
            return;
        }
        Query query = new() { GetLock = new GetLock { Kind = kind, Name = name } };
        if (await Queries.ExecuteAsync(context, gateway, query, fields) is { } answer)
            await Answers.WriteAsync(context, json => HoldingJson.Write(json, gateway.SessionsOf(answer.Position), answer.Locks[0]));
    }

    private async Task ListAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = QueryString.Read(target.Query);
        ListLocks list = new()
        {
            Kind = kind,
            Prefix = fields.Text("prefix", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            AfterName = fields.Text("after", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            Limit = (int)fields.Count("limit", Limits.PageItemsMax),
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { ListLocks = list }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteStartArray(_plural);
                foreach (LockInfo info in answer.Locks)
                {
                    json.WriteStartObject();
                    HoldingJson.Write(json, gateway.SessionsOf(answer.Position), info);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteBoolean("more", answer.More);
            });
    }
}
