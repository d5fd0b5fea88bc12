using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>/v1/sessions/{id}/wait and /cancel-wait: why a request of a session waits, and the end of that.</summary>
internal sealed class WaitResource(CheckedGateway gateway, HttpInterfaceOptions options)
{
    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", "/v1/sessions/{id}/wait", SessionResource.WithId(gateway, GetAsync)),
        new("POST", "/v1/sessions/{id}/cancel-wait", SessionResource.WithId(gateway, CancelAsync)),
    ];

    private async Task GetAsync(HttpContext context, RequestTarget target, (int Group, long Id) session)
    {
        Fields fields = QueryString.Read(target.Query);
        fields.SayGroup(session.Group, "the session");
        GetWait wait = new()
        {
            SessionId = session.Id,
            RequestId = fields.Count("requestId"),
            EntryIndex = fields.Count("entryIndex"),
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { GetWait = wait }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteSession("sessionId", gateway.SessionsOf(fields), session.Id);
                json.WriteStartArray("waitsFor");
                foreach (LockInfo info in answer.Locks)
                {
                    json.WriteStartObject();
                    json.WriteString("kind", HoldingJson.WordOf(info.Kind));
                    HoldingJson.Write(json, gateway.SessionsOf(answer.Position), info);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            });
    }

    private async Task CancelAsync(HttpContext context, RequestTarget target, (int Group, long Id) session)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        fields.SayGroup(session.Group, "the session");
        CancelWait cancel = new();
        // What is named second stays unread, and is refused.
        if (fields.Has("requestId"))
            cancel.RequestId = fields.Count("requestId");
        else
            cancel.EntryIndex = fields.Id("entryIndex", required: true);
        cancel.ReleaseIfGranted = fields.Flag("releaseIfGranted") ?? false;
        Command command = new() { SessionId = session.Id, CancelWait = cancel };
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command, fields) is { } result)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteSession("sessionId", gateway.SessionsOf(fields), session.Id);
                json.WriteBoolean("cancelled", result.Outcome == Outcome.Cancelled);
                if (result.Outcome != Outcome.Granted)
                    return;
                json.WriteNumber("token", result.Token);
                json.WriteNumber("floor", result.Floor);
            });
    }
}
