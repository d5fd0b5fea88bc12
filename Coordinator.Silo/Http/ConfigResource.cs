using Coordinator.Contracts;
using Google.Protobuf;
using Microsoft.Net.Http.Headers;

namespace Coordinator.Silo.Http;

/// <summary>
/// /v1/config: list, watch, get, put, delete, compact, rollback. All after /v1/config/ is the key; values are raw bodies.
/// </summary>
internal sealed class ConfigResource(CheckedGateway gateway, HttpInterfaceOptions options, EventStreams streams)
{
    private const string DefaultContentType = "application/octet-stream";

    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", "/v1/config", (context, target, _) => ListAsync(context, target)),
        new("GET", "/v1/config/{name}", HttpRoute.WithName(GetAsync)),
        new("PUT", "/v1/config/{name}", HttpRoute.WithName(PutAsync)),
        new("DELETE", "/v1/config/{name}", HttpRoute.WithName(DeleteAsync)),
        // No key stands before these verbs: they are about all keys, or about those of a prefix.
        new("POST", "/v1/config/compact", (context, target, _) => CompactAsync(context, target)),
        new("POST", "/v1/config/rollback", (context, target, _) => RollBackAsync(context, target)),
    ];

    private async Task CompactAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: false, gateway.Groups);
        command.CompactConfig = new CompactConfig { Revision = fields.Count("revision") };
        await ChangeAsync(context, target, fields, command);
    }

    private async Task RollBackAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: false, gateway.Groups);
        // Rolling everything back by leaving a field out is too easily a mistake: the empty prefix has to be said.
        if (!fields.Has("prefix"))
            fields.Refuse(ErrorCode.InvalidRequest, "\"prefix\" is missing; the empty one means all keys.");
        command.RollBackConfig = new RollBackConfig
        {
            Prefix = fields.Text("prefix", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            Revision = fields.Count("revision"),
        };
        await ChangeAsync(context, target, fields, command);
    }

    private async Task ChangeAsync(HttpContext context, RequestTarget target, Fields fields, Command command)
    {
        fields.Group(gateway.Groups);
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command, fields) is { } result)
            await Answers.WriteAsync(context, json => json.WriteNumber("revision", result.Revision));
    }

    private async Task PutAsync(HttpContext context, RequestTarget target, string key)
    {
        Fields fields = QueryString.Read(target.Query);
        Command command = Commands.InSession(fields, sessionRequired: false, gateway.Groups);
        Preconditions expected = Preconditions.Read(context.Request, fields);
        bool bindSession = fields.Flag("bindSession") ?? false;
        if ((fields.Finish() ?? ContentTypeProblem(context.Request)) is { } refusal)
        {
            await Problems.WriteAsync(context, refusal);
            return;
        }
        if (await RequestBody.ReadAsync(context, Limits.ValueBytesMax) is not { } value)
        {
            await Problems.WriteAsync(
                context, ErrorCode.ValueTooLarge, $"The value is over {Limits.ValueBytesMax} bytes.");
            return;
        }
        command.PutConfig = new PutConfig
        {
            Key = key,
            Value = UnsafeByteOperations.UnsafeWrap(value),
            ContentType = context.Request.ContentType ?? DefaultContentType,
            BindSession = bindSession,
        };
        if (expected.Version is { } version)
            command.PutConfig.ExpectedVersion = version;
        if (expected.ModifyRevision is { } revision)
            command.PutConfig.ExpectedModifyRevision = revision;
        if (await Commands.ExecuteAsync(context, gateway, command, fields) is { } result)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteNumber("revision", result.Revision);
                json.WriteNumber("version", result.Version);
            });
    }

    private async Task DeleteAsync(HttpContext context, RequestTarget target, string key)
    {
        Fields fields = QueryString.Read(target.Query);
        Command command = Commands.InSession(fields, sessionRequired: false, gateway.Groups);
        command.DeleteConfig = new DeleteConfig { Key = key };
        Preconditions expected = Preconditions.Read(context.Request, fields);
        if (expected.Version is { } version)
            command.DeleteConfig.ExpectedVersion = version;
        if (expected.ModifyRevision is { } revision)
            command.DeleteConfig.ExpectedModifyRevision = revision;
        if (fields.Finish() is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command, fields) is { } result)
            await Answers.WriteAsync(context, json => json.WriteNumber("revision", result.Revision));
    }

    private async Task GetAsync(HttpContext context, RequestTarget target, string key)
    {
        Fields fields = QueryString.Read(target.Query);
        Query query = new() { GetConfig = new GetConfig { Key = key, Revision = fields.Count("revision") } };
        if (await Queries.ExecuteAsync(context, gateway, query, fields) is not { } answer)
            return;
        ConfigEntry entry = answer.Entries[0];
        Answers.SetNumber(context, "X-Coordinator-Version", entry.Version);
        Answers.SetNumber(context, "X-Coordinator-Create-Revision", entry.CreateRevision);
        Answers.SetNumber(context, "X-Coordinator-Modify-Revision", entry.ModifyRevision);
        if (entry.SessionId != 0)
            context.Response.Headers["X-Coordinator-Session"] = gateway.SessionsOf(answer.Position).TextOf(entry.SessionId);
        context.Response.Headers.ETag = Preconditions.ETagOf(entry);
        // The native client may have stored any text as its type; what is no header can't be sent as one.
        context.Response.ContentType = IsMediaType(entry.ContentType) ? entry.ContentType : DefaultContentType;
        await Answers.WriteBodyAsync(context, entry.Value.Memory);
    }

    private async Task ListAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = QueryString.Read(target.Query);
        if (fields.Choice("watch", "false", "true") == "true")
        {
            await streams.ServeAsync(context, ConfigEvents.Read(context, fields, gateway.Groups, out ConfigEvents events), fields, events);
            return;
        }
        ListConfig list = new()
        {
            Prefix = fields.Text("prefix", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            AfterKey = fields.Text("after", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            Limit = (int)fields.Count("limit", Limits.PageItemsMax),
            KeysOnly = fields.Choice("values", "true", "false") == "false",
            Revision = fields.Count("revision"),
            CountOnly = fields.Choice("count", "false", "true") == "true",
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { ListConfig = list }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                if (list.CountOnly)
                {
                    json.WriteNumber("count", answer.Count);
                    return;
                }
                json.WriteStartArray("entries");
                foreach (ConfigEntry entry in answer.Entries)
                {
                    json.WriteStartObject();
                    ConfigJson.Write(json, gateway.SessionsOf(answer.Position), entry, !list.KeysOnly);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteBoolean("more", answer.More);
            });
    }

    private static Refusal? ContentTypeProblem(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0)
            return new Refusal(
                ErrorCode.UnsupportedContentType, "A Content-Encoding is not kept: send the value as it is.");
        if (request.ContentType is null || IsMediaType(request.ContentType))
            return null;
        return new Refusal(ErrorCode.UnsupportedContentType,
            $"\"{request.ContentType}\" is not a media type of up to {Limits.LabelBytesMax} ASCII characters.");
    }

    public static bool IsMediaType(string text) =>
        text.Length <= Limits.LabelBytesMax && text.All(c => c is >= ' ' and <= '~')
        && MediaTypeHeaderValue.TryParse(text, out _);
}
