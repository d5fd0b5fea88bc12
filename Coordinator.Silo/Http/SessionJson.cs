using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>A session as JSON members.</summary>
internal static class SessionJson
{
    public static void Write(Utf8JsonWriter json, SessionIds sessions, SessionInfo session)
    {
        json.WriteSession("sessionId", sessions, session.SessionId);
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

    /// <summary>All that it holds; where one session alone is shown.</summary>
    public static void WriteHoldings(Utf8JsonWriter json, SessionInfo session)
    {
        json.WriteStartArray("holdings");
        foreach (SessionHolding holding in session.Holdings)
        {
            json.WriteStartObject();
            json.WriteString("kind", HoldingJson.WordOf(holding.Kind));
            json.WriteString("name", holding.Name);
            json.WriteNumber("token", holding.Token);
            if (holding.RequestId != 0)
                json.WriteNumber("requestId", holding.RequestId);
            if (holding.ReleaseRequested)
                json.WriteString("releaseRequested", holding.ReleaseReason);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
