using System.Text.Json;
using System.Text.Unicode;
using Coordinator.Contracts;
using Google.Protobuf;
using Microsoft.Net.Http.Headers;

namespace Coordinator.Silo.Http;

/// <summary>/v1/config: list, get, put, delete. All after /v1/config/ is the key; values are raw bodies.</summary>
internal sealed class ConfigResource(CheckedGateway gateway)
{
    private const string DefaultContentType = "application/octet-stream";

    public IReadOnlyList<HttpRoute> Routes =>
    [
        new("GET", "/v1/config", (context, target, _) => ListAsync(context, target)),
        new("GET", "/v1/config/{name}", HttpRoute.WithName(GetAsync)),
        new("PUT", "/v1/config/{name}", HttpRoute.WithName(PutAsync)),
        new("DELETE", "/v1/config/{name}", HttpRoute.WithName(DeleteAsync)),
    ];

    private async Task PutAsync(HttpContext context, RequestTarget target, string key)
    {
        Fields fields = QueryString.Read(target.Query);
        Command command = Commands.InSession(fields, sessionRequired: false);
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
        };
        if (await Commands.ExecuteAsync(context, gateway, command) is { } result)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteNumber("revision", result.Revision);
                json.WriteNumber("version", result.Version);
            });
    }

    private async Task DeleteAsync(HttpContext context, RequestTarget target, string key)
    {
        Fields fields = QueryString.Read(target.Query);
        Command command = Commands.InSession(fields, sessionRequired: false);
        command.DeleteConfig = new DeleteConfig { Key = key };
        if (fields.Finish() is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command) is { } result)
            await Answers.WriteAsync(context, json => json.WriteNumber("revision", result.Revision));
    }

    private async Task GetAsync(HttpContext context, RequestTarget target, string key)
    {
        Query query = new() { GetConfig = new GetConfig { Key = key } };
        if (await Queries.ExecuteAsync(context, gateway, query, QueryString.Read(target.Query)) is not { } answer)
            return;
        ConfigEntry entry = answer.Entries[0];
        Answers.SetNumber(context, "X-Coordinator-Version", entry.Version);
        Answers.SetNumber(context, "X-Coordinator-Create-Revision", entry.CreateRevision);
        Answers.SetNumber(context, "X-Coordinator-Modify-Revision", entry.ModifyRevision);
        // The native client may have stored any text as its type; what is no header can't be sent as one.
        context.Response.ContentType = IsMediaType(entry.ContentType) ? entry.ContentType : DefaultContentType;
        await Answers.WriteBodyAsync(context, entry.Value.Memory);
    }

    private async Task ListAsync(HttpContext context, RequestTarget target)
    {
        Fields fields = QueryString.Read(target.Query);
        ListConfig list = new()
        {
            Prefix = fields.Text("prefix", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            AfterKey = fields.Text("after", ResourceName.PrefixProblem, ErrorCode.InvalidName),
            Limit = (int)fields.Count("limit", Limits.PageItemsMax),
            KeysOnly = fields.Choice("values", "true", "false") == "false",
        };
        if (await Queries.ExecuteAsync(context, gateway, new Query { ListConfig = list }, fields) is { } answer)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteStartArray("entries");
                foreach (ConfigEntry entry in answer.Entries)
                    WriteEntry(json, entry, !list.KeysOnly);
                json.WriteEndArray();
                json.WriteBoolean("more", answer.More);
            });
    }

    private static void WriteEntry(Utf8JsonWriter json, ConfigEntry entry, bool withValue)
    {
        json.WriteStartObject();
        json.WriteString("key", entry.Key);
        json.WriteString("contentType", entry.ContentType);
        json.WriteNumber("version", entry.Version);
        json.WriteNumber("createRevision", entry.CreateRevision);
        json.WriteNumber("modifyRevision", entry.ModifyRevision);
        // One rule, by the bytes alone: text where they are UTF-8, else base64, under different names.
        if (withValue && Utf8.IsValid(entry.Value.Span))
            json.WriteString("value", entry.Value.Span);
        else if (withValue)
            json.WriteBase64String("valueBase64", entry.Value.Span);
        json.WriteEndObject();
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

    private static bool IsMediaType(string text) =>
        text.Length <= Limits.LabelBytesMax && text.All(c => c is >= ' ' and <= '~')
        && MediaTypeHeaderValue.TryParse(text, out _);
}
