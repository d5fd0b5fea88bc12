using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>A session as JSON members.</summary>
internal static class SessionJson
{
    public static void Write(Utf8JsonWriter json, SessionInfo session)
    {
        json.WriteId("sessionId", session.SessionId);
        json.WriteSeconds("ttlSeconds", session.TtlUs);
        json.WriteSeconds("remainingSeconds", session.RemainingUs);
        json.WriteSeconds("ageSeconds", session.AgeUs);
        json.WriteString("metadata", session.Metadata);
        json.WriteString("caller", session.Caller);
        json.WriteStartArray("locks");
        foreach (string name in session.Locks)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteNumber("waiting", session.Waiting);
    }
}
