using System.Text.Json;
using System.Text.Unicode;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>How a key with its value is shown in answers.</summary>
internal static class ConfigJson
{
    public static void Write(Utf8JsonWriter json, ConfigEntry entry, bool withValue)
    {
        json.WriteString("key", entry.Key);
        WriteState(json, entry, withValue);
    }

    /// <summary>What a revision did to a key.</summary>
    public static void Write(Utf8JsonWriter json, ConfigEvent change, bool withPrevious)
    {
        bool deleted = change.Entry.Version == 0;
        json.WriteString("key", change.Entry.Key);
        json.WriteBoolean("deleted", deleted);
        if (!deleted)
            WriteState(json, change.Entry, withValue: true);
        if (!withPrevious)
            return;
        if (change.Previous is null)
        {
            json.WriteNull("previous");
            return;
        }
        json.WriteStartObject("previous");
        WriteState(json, change.Previous, withValue: true);
        json.WriteEndObject();
    }

    private static void WriteState(Utf8JsonWriter json, ConfigEntry entry, bool withValue)
    {
        json.WriteString("contentType", entry.ContentType);
        json.WriteNumber("version", entry.Version);
        json.WriteNumber("createRevision", entry.CreateRevision);
        json.WriteNumber("modifyRevision", entry.ModifyRevision);
        if (entry.SessionId != 0)
            json.WriteId("sessionId", entry.SessionId);
        // One rule, by the bytes alone: text where they are UTF-8, else base64, under different names.
        if (withValue && Utf8.IsValid(entry.Value.Span))
            json.WriteString("value", entry.Value.Span);
        else if (withValue)
            json.WriteBase64String("valueBase64", entry.Value.Span);
    }
}
