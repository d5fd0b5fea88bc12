using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>/v1/forced-releases: what was taken from its holders, by whom and why; oldest first.</summary>
internal sealed class ForcedReleaseResource(CheckedGateway gateway)
{
    public IReadOnlyList<HttpRoute> Routes => [new("GET", "/v1/forced-releases", (context, target, _) => ListAsync(context, target))];

    private async Task ListAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = QueryString.Read(target.Query);
        ListForcedReleases list = new()
        {
            AfterNumber = fields.CountOrZero("after") ?? 0,
            Limit = (int)fields.Count("limit", Limits.PageItemsMax),
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { ListForcedReleases = list }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteStartArray("forcedReleases");
                foreach (ForcedRelease forced in answer.ForcedReleases)
                    Write(json, gateway.SessionsOf(answer.Position), forced);
                json.WriteEndArray();
                json.WriteBoolean("more", answer.More);
            });
    }

    private static void Write(Utf8JsonWriter json, SessionIds sessions, ForcedRelease forced)
    {
        json.WriteStartObject();
        json.WriteNumber("number", forced.Number);
        json.WriteNumber("index", forced.EntryIndex);
        json.WriteSeconds("agoSeconds", forced.AgoUs);
        json.WriteString("kind", HoldingJson.WordOf(forced.Kind));
        json.WriteString("name", forced.Name);
        if (forced.SessionId != 0)
            json.WriteSession("sessionId", sessions, forced.SessionId);
        json.WriteNumber("token", forced.Token);
        json.WriteString(forced.Kind == HoldingKind.Lease ? "owner" : "label", forced.Label);
        json.WriteString("caller", forced.Caller);
        json.WriteString("reason", forced.Reason);
        json.WriteEndObject();
    }
}
