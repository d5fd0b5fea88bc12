using System.Text.Json;
using System.Text.Unicode;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>How a key with its value is shown in answers.</summary>
internal static class ConfigJson
{
    /// <summary>Of a value, at a time: escaped it is six times as long at most.</summary>
    private const int SegmentBytes = 8 * 1024;

    public static void Write(Utf8JsonWriter json, SessionIds sessions, ConfigEntry entry, bool withValue)
    {
        json.WriteString("key", entry.Key);
        WriteState(json, sessions, entry, withValue);
    }

    /// <summary>What a revision did to a key, as an object; its pieces are taken from <paramref name="text"/>.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Pieces(
        EventText text, SessionIds sessions, ConfigEvent change, bool withPrevious)
    {
        using Utf8JsonWriter json = text.NewWriter();
        bool deleted = change.Entry.Version == 0;
        json.WriteStartObject();
        json.WriteString("key", change.Entry.Key);
        json.WriteBoolean("deleted", deleted);
        foreach (ReadOnlyMemory<byte> piece in deleted ? [] : StatePieces(text, json, sessions, change.Entry))
            yield return piece;
        if (withPrevious && change.Previous is null)
            json.WriteNull("previous");
        else if (withPrevious)
        {
            json.WriteStartObject("previous");
            foreach (ReadOnlyMemory<byte> piece in StatePieces(text, json, sessions, change.Previous))
                yield return piece;
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.Flush();
        if (text.IsPiece)
            yield return text.Take();
    }

    private static IEnumerable<ReadOnlyMemory<byte>> StatePieces(
        EventText text, Utf8JsonWriter json, SessionIds sessions, ConfigEntry entry)
    {
        WriteState(json, sessions, entry, withValue: false);
        ReadOnlyMemory<byte> value = entry.Value.Memory;
        bool isText = Utf8.IsValid(value.Span);
        json.WritePropertyName(isText ? "value" : "valueBase64");
        do
        {
            ReadOnlyMemory<byte> segment = value[..Math.Min(value.Length, SegmentBytes)];
            value = value[segment.Length..];
            if (isText)
                json.WriteStringValueSegment(segment.Span, isFinalSegment: value.IsEmpty);
            else
                json.WriteBase64StringSegment(segment.Span, isFinalSegment: value.IsEmpty);
            json.Flush();
            if (!text.IsPiece)
                continue;
            yield return text.Take();
            text.Reuse();
        }
        while (!value.IsEmpty);
    }

    private static void WriteState(Utf8JsonWriter json, SessionIds sessions, ConfigEntry entry, bool withValue)
    {
        json.WriteString("contentType", entry.ContentType);
        json.WriteNumber("version", entry.Version);
        json.WriteNumber("createRevision", entry.CreateRevision);
        json.WriteNumber("modifyRevision", entry.ModifyRevision);
        if (entry.SessionId != 0)
            json.WriteSession("sessionId", sessions, entry.SessionId);
        // One rule, by the bytes alone: text where they are UTF-8, else base64, under different names.
        if (withValue && Utf8.IsValid(entry.Value.Span))
            json.WriteString("value", entry.Value.Span);
        else if (withValue)
            json.WriteBase64String("valueBase64", entry.Value.Span);
    }
}
