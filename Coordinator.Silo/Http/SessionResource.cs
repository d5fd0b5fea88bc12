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
        // A session is of one group, and is used with names of that group: those of a namespace are in one.
        string place = fields.Text("namespace", text => text is "" ? null : NamespaceProblem(text!), ErrorCode.InvalidName);
        if (place.Length == 0 && gateway.Groups > 1)
        {
            fields.Refuse(ErrorCode.InvalidRequest, "\"namespace\" is missing: this cluster has several groups, and it says in which one "
                + "the session is. It is the first part, up to the '/', of the names that the session is for.");
        }
        else if (place.Length > 0 && NamespaceProblem(place) is null)
        {
            fields.SayGroup(GroupOfName.Of(place, gateway.Groups), "the namespace");
        }
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
        if (await Commands.ExecuteAsync(context, gateway, new Command { CreateSession = create }, fields) is { } result)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteSession("sessionId", gateway.SessionsOf(fields), result.SessionId);
                json.WriteSeconds("ttlSeconds", result.TtlUs);
            });
    }

    private async Task EndAsync(HttpContext context, RequestTarget target, (int Group, long Id) session)
    {
        if (await ReadNoFieldsAsync(context, target, session) is not { } fields)
            return;
        Command command = new() { SessionId = session.Id, EndSession = new EndSession() };
        if (await Commands.ExecuteAsync(context, gateway, command, fields) is not null)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteSession("sessionId", gateway.SessionsOf(fields), session.Id);
                json.WriteBoolean("ended", true);
            });
    }

    private async Task KeepAliveAsync(HttpContext context, RequestTarget target, (int Group, long Id) session)
    {
        if (await ReadNoFieldsAsync(context, target, session) is not { } fields)
            return;
        KeepAliveAnswer answer = await gateway.KeepAliveAsync(session.Group, session.Id, context.RequestAborted);
        // Keep-alives are gathered, and an answer names no position of its own: the group's present one is not older.
        Answers.SetPosition(context, gateway.Gateways[session.Group].GetStatus());
        if (answer.Error != ErrorCode.Ok)
            await Problems.WriteAsync(context, answer.Error, ErrorText.Of(answer.Error));
        else
            await Answers.WriteAsync(context, json =>
            {
                json.WriteSession("sessionId", gateway.SessionsOf(fields), session.Id);
                json.WriteSeconds("ttlSeconds", answer.TtlUs);
            });
    }

    private async Task GetAsync(HttpContext context, RequestTarget target, (int Group, long Id) session)
    {
        Fields fields = QueryString.Read(target.Query);
        fields.SayGroup(session.Group, "the session");
        Query query = new() { GetSession = new GetSession { SessionId = session.Id } };
        if (await Queries.ExecuteAsync(context, gateway, query, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                SessionJson.Write(json, gateway.SessionsOf(answer.Position), answer.Sessions[0]);
                SessionJson.WriteHoldings(json, answer.Sessions[0]);
            });
    }

    private async Task ListAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = QueryString.Read(target.Query);
        ListSessions list = new()
        {
            AfterSessionId = fields.Session("after", required: false, gateway.Groups),
            Limit = (int)fields.Count("limit", Limits.PageItemsMax),
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { ListSessions = list }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteStartArray("sessions");
                foreach (SessionInfo session in answer.Sessions)
                {
                    json.WriteStartObject();
                    SessionJson.Write(json, gateway.SessionsOf(answer.Position), session);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteBoolean("more", answer.More);
            });
    }

    /// <summary>For calls that need no fields: what is sent nevertheless is refused, not ignored.</summary>
    /// <returns>With the group that the session says; null when it was refused, and the refusal has been written.</returns>
    private async Task<Fields?> ReadNoFieldsAsync(HttpContext context, RequestTarget target, (int Group, long Id) session)
    {
        Fields body = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        body.SayGroup(session.Group, "the session");
        if ((QueryString.Read(target.Query).Finish() ?? body.Finish()) is not { } refusal)
            return body;
        await Problems.WriteAsync(context, refusal);
        return null;
    }

    private RouteHandler WithId(Func<HttpContext, RequestTarget, (int Group, long Id), Task> next) => WithId(gateway, next);

    public static RouteHandler WithId(
        CheckedGateway gateway, Func<HttpContext, RequestTarget, (int Group, long Id), Task> next) => (context, target, parameter) =>
        SessionIds.Parse(parameter[0], gateway.Groups) is { } session
            ? next(context, target, session)
            : Problems.WriteAsync(context, ErrorCode.InvalidRequest, SessionIds.Allowed(gateway.Groups));

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
