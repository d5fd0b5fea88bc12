using System.Text.Json;
using System.Text.Unicode;
using Coordinator.Contracts;
using Microsoft.Net.Http.Headers;

namespace Coordinator.Silo.Http;

/// <summary>
/// Reads a JSON body into <see cref="Fields"/>: one object, in UTF-8, each name once, no comments, no trailing commas.
/// Anything else is refused by name. No body at all is an object without fields.
/// </summary>
internal static class JsonBody
{
    public static async Task<Fields> ReadAsync(HttpContext context, int bytesMax)
    {
        Dictionary<string, Field> fields = new(StringComparer.Ordinal);
        Fields result = new(fields, untyped: false);
        ReadOnlyMemory<byte>? body = await RequestBody.ReadAsync(context, bytesMax);
        if (body is null)
            result.Refuse(ErrorCode.RequestTooLarge, $"The body is over {bytesMax} bytes.");
        else if (!body.Value.IsEmpty
            && (ContentTypeProblem(context.Request) ?? Parse(body.Value, fields)) is { } refusal)
            result.Refuse(refusal.Code, refusal.Message);
        return result;
    }

    private static Refusal? ContentTypeProblem(HttpRequest request)
    {
        string? contentType = request.ContentType;
        if (request.Headers.ContentEncoding.Count > 0)
            return new Refusal(ErrorCode.UnsupportedContentType, "A body with a Content-Encoding is not understood.");
        if (contentType is null)
            return null;
        if (MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type)
            && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
            return null;
        return new Refusal(ErrorCode.UnsupportedContentType,
            $"The body's type is \"{contentType}\". Send JSON: with curl, add -H 'Content-Type: application/json'.");
    }

    private static Refusal? Parse(ReadOnlyMemory<byte> body, Dictionary<string, Field> fields)
    {
        // The reader looks at strings only when they are asked for; whatever is not UTF-8 is found here.
        if (!Utf8.IsValid(body.Span))
            return new Refusal(ErrorCode.InvalidRequest, "The body is not UTF-8.");
        try
        {
            using JsonDocument document =
                JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return new Refusal(ErrorCode.InvalidRequest, "The body is JSON, but not an object.");
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
                fields.Add(property.Name, FieldOf(property.Value));
            return null;
        }
        catch (JsonException e)
        {
            return new Refusal(ErrorCode.InvalidRequest, $"The body is not JSON: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // How the reader reports an escape such as \ud800 that is no character.
            return new Refusal(ErrorCode.InvalidRequest, "The body holds a string that is not Unicode.");
        }
    }

    private static Fields FieldsOf(JsonElement value)
    {
        Dictionary<string, Field> fields = new(StringComparer.Ordinal);
        foreach (JsonProperty property in value.EnumerateObject())
            fields.Add(property.Name, FieldOf(property.Value));
        return new Fields(fields, untyped: false);
    }

    private static Field FieldOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => new Field(FieldKind.Text, value.GetString()!),
        JsonValueKind.Number => new Field(FieldKind.Number, value.GetRawText()),
        JsonValueKind.True => new Field(FieldKind.Flag, "true"),
        JsonValueKind.False => new Field(FieldKind.Flag, "false"),
        JsonValueKind.Array when value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object) =>
            new Field(FieldKind.List, "", [.. value.EnumerateArray().Select(FieldsOf)]),
        _ => new Field(FieldKind.Other, ""),
    };
}
