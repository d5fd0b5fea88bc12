using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>A lock as JSON members: who holds it, and who waits, first in line first.</summary>
internal static class LockJson
{
    public static void Write(Utf8JsonWriter json, LockInfo info)
    {
        json.WriteString("name", info.Name);
        json.WriteStartArray("holders");
        foreach (LockHolder holder in info.Holders)
            WriteHolder(json, holder);
        json.WriteEndArray();
        json.WriteStartArray("waiters");
        foreach (LockWaiter waiter in info.Waiters)
            WriteWaiter(json, waiter);
        json.WriteEndArray();
    }

    private static void WriteHolder(Utf8JsonWriter json, LockHolder holder)
    {
        json.WriteStartObject();
        json.WriteId("sessionId", holder.SessionId);
        json.WriteNumber("token", holder.Token);
        json.WriteSeconds("heldSeconds", holder.HeldUs);
        json.WriteString("label", holder.Label);
        json.WriteString("sessionMetadata", holder.SessionMetadata);
        json.WriteEndObject();
    }

    private static void WriteWaiter(Utf8JsonWriter json, LockWaiter waiter)
    {
        json.WriteStartObject();
        json.WriteId("sessionId", waiter.SessionId);
        json.WriteSeconds("waitedSeconds", waiter.WaitedUs);
        if (waiter.RemainingUs < 0)
            json.WriteString("remainingSeconds", LockResource.Unbounded);
        else
            json.WriteSeconds("remainingSeconds", waiter.RemainingUs);
        json.WriteString("label", waiter.Label);
        json.WriteEndObject();
    }
}
