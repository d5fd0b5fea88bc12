using System.Globalization;
using System.Security.Cryptography;
using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Http;

/// <summary>/v1/sessions: create, list, get, keep alive, end.</summary>
internal sealed class SessionResource(CheckedGateway gateway, HttpInterfaceOptions options)
{
    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", "/v1/sessions", (context, target, _) => ListAsync(context, target)),
        new("POST", "/v1/sessions", (context, target, _) => CreateAsync(context, target)),
        new("GET", "/v1/sessions/{id}", WithId(GetAsync)),
        new("DELETE", "/v1/sessions/{id}", WithId(EndAsync)),
        new("POST", "/v1/sessions/{id}/keepalive", WithId(KeepAliveAsync)),
    ];

    private async Task CreateAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        long? ttl = fields.Microseconds("ttlSeconds", ErrorCode.InvalidTtl, Limits.TtlMin, Limits.TtlMax);
        if (ttl is null)
            fields.Refuse(ErrorCode.InvalidTtl, "\"ttlSeconds\" is missing.");
        // With one group every namespace is in it; the name is checked so that it means the same with more of them.
        fields.Text("namespace", text => text is "" ? null : NamespaceProblem(text!), ErrorCode.InvalidName);
        CreateSession create = new()
        {
            TtlUs = ttl ?? 0,
            Metadata = fields.Text("metadata", ResourceName.LabelProblem, ErrorCode.InvalidRequest),
            Nonce = ReadNonce(fields),
        };
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
        {
            await Problems.WriteAsync(context, refusal);
            return;
        }
        if (await Commands.ExecuteAsync(context, gateway, new Command { CreateSession = create }) is { } result)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteId("sessionId", result.SessionId);
                json.WriteSeconds("ttlSeconds", result.TtlUs);
            });
    }

    private async Task EndAsync(HttpContext context, RequestTarget target, long sessionId)
    {
        if (await RefuseFieldsAsync(context, target))
            return;
        Command command = new() { SessionId = sessionId, EndSession = new EndSession() };
        if (await Commands.ExecuteAsync(context, gateway, command) is not null)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteId("sessionId", sessionId);
                json.WriteBoolean("ended", true);
            });
    }

    private async Task KeepAliveAsync(HttpContext context, RequestTarget target, long sessionId)
    {
        if (await RefuseFieldsAsync(context, target))
            return;
        KeepAliveAnswer answer = await gateway.KeepAliveAsync(sessionId, context.RequestAborted);
        // Keep-alives are gathered, and an answer names no position of its own: the group's present one is not older.
        Answers.SetPosition(context, gateway.Group.GetStatus());
        if (answer.Error != ErrorCode.Ok)
            await Problems.WriteAsync(context, answer.Error, ErrorText.Of(answer.Error));
        else
            await Answers.WriteAsync(context, json =>
            {
                json.WriteId("sessionId", sessionId);
                json.WriteSeconds("ttlSeconds", answer.TtlUs);
            });
    }

    private async Task GetAsync(HttpContext context, RequestTarget target, long sessionId)
    {
        Fields fields = QueryString.Read(target.Query);
        Query query = new() { GetSession = new GetSession { SessionId = sessionId } };
        if (await Queries.ExecuteAsync(context, gateway, query, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                SessionJson.Write(json, answer.Sessions[0]);
                SessionJson.WriteHoldings(json, answer.Sessions[0]);
            });
    }

    private async Task ListAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = QueryString.Read(target.Query);
        ListSessions list = new()
        {
            AfterSessionId = fields.Id("after", required: false),
            Limit = (int)fields.Count("limit", Limits.PageItemsMax),
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { ListSessions = list }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteStartArray("sessions");
                foreach (SessionInfo session in answer.Sessions)
                {
                    json.WriteStartObject();
                    SessionJson.Write(json, session);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteBoolean("more", answer.More);
            });
    }

    /// <summary>For calls that need no fields: what is sent nevertheless is refused, not ignored.</summary>
    private async Task<bool> RefuseFieldsAsync(HttpContext context, RequestTarget target)
    {
        Fields body = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        if ((QueryString.Read(target.Query).Finish() ?? body.Finish()) is not { } refusal)
            return false;
        await Problems.WriteAsync(context, refusal);
        return true;
    }

    public static RouteHandler WithId(Func<HttpContext, RequestTarget, long, Task> next) => (context, target, parameter) =>
        long.TryParse(parameter[0], NumberStyles.None, CultureInfo.InvariantCulture, out long id) && id > 0
            ? next(context, target, id)
            : Problems.WriteAsync(context, ErrorCode.InvalidRequest, "A session id is a whole number from 1 on.");

    private static ByteString ReadNonce(Fields fields)
    {
        if (fields.Text("nonce") is not { } text)
            return ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16));
        if (Guid.TryParse(text, out Guid nonce))
            return ByteString.CopyFrom(nonce.ToByteArray(bigEndian: true));
        fields.Refuse(ErrorCode.InvalidRequest, "\"nonce\" is not a UUID.");
        return ByteString.Empty;
    }

    private static string? NamespaceProblem(string text) =>
        text.Contains('/', StringComparison.Ordinal) ? "A namespace has no '/'." : ResourceName.Problem(text);
}
