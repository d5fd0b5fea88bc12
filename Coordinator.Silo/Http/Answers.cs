using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Coordinator.Contracts;
using Coordinator.Grains;

namespace Coordinator.Silo.Http;

/// <summary>
/// Writes answers: one JSON object each, and the headers that say which state of which group it reflects.
/// </summary>
internal static class Answers
{
    /// <summary>The log index that an answer reflects; in a read, the index that its caller has seen.</summary>
    public const string IndexHeader = "X-Raft-Index";

    // Names in any script stay readable; the answers are never parts of a page.
    public static readonly JsonWriterOptions WriterOptions =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> members) =>
        WriteAsync(context, StatusCodes.Status200OK, "application/json", members);

    public static Task WriteAsync(HttpContext context, int status, string contentType, Action<Utf8JsonWriter> members)
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using (Utf8JsonWriter json = new(buffer, WriterOptions))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        return WriteBodyAsync(context, buffer.WrittenMemory);
    }

    public static Task WriteBodyAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        HttpResponse response = context.Response;
        SetSafety(response.Headers);
        response.ContentLength = body.Length;
        return context.Request.Method == HttpMethods.Head
            ? Task.CompletedTask
            : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>
    /// Values are other people's bytes: whatever their type says, no browser may run them as a page of this silo.
    /// </summary>
    public static void SetSafety(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'";
        headers.CacheControl = "no-store";
    }

    public static void SetPosition(HttpContext context, Position? position)
    {
        if (position is not null)
            SetPosition(context, position.Group, position.Term, position.Index, position.Revision);
    }

    public static void SetPosition(HttpContext context, GroupStatus status) =>
        SetPosition(context, status.Group, status.Term, status.CommitIndex, status.Revision);

    public static void SetNumber(HttpContext context, string header, long value) =>
        context.Response.Headers[header] = value.ToString(CultureInfo.InvariantCulture);

    /// <summary>As a string: it has 64 bits, and some readers of JSON keep only 53.</summary>
    public static void WriteId(this Utf8JsonWriter json, string name, long id) =>
        json.WriteString(name, id.ToString(CultureInfo.InvariantCulture));

    public static void WriteSession(this Utf8JsonWriter json, string name, SessionIds sessions, long sessionId) =>
        json.WriteString(name, sessions.TextOf(sessionId));

    public static void WriteSeconds(this Utf8JsonWriter json, string name, long microseconds) =>
        json.WriteNumber(name, microseconds / 1_000_000m);

    private static void SetPosition(HttpContext context, int group, long term, long index, long revision)
    {
        SetNumber(context, "X-Coordinator-Group", group);
        SetNumber(context, "X-Raft-Term", term);
        SetNumber(context, IndexHeader, index);
        SetNumber(context, "X-Coordinator-Revision", revision);
    }
}
