using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>A lock, semaphore, election or lease as JSON members: who holds it, and who waits, first in line first.</summary>
internal static class HoldingJson
{
    public static string WordOf(HoldingKind kind) => kind switch
    {
        HoldingKind.Lock => "lock",
        HoldingKind.Semaphore => "semaphore",
        HoldingKind.Election => "election",
        _ => "lease",
    };

    public static void Write(Utf8JsonWriter json, SessionIds sessions, LockInfo info)
    {
        json.WriteString("name", info.Name);
        if (info.Kind == HoldingKind.Semaphore)
            json.WriteNumber("limit", info.Limit);
        if (info.DelayUs > 0)
            json.WriteSeconds("lockDelaySeconds", info.DelayUs);
        json.WriteStartArray("holders");
        foreach (LockHolder holder in info.Holders)
            WriteHolder(json, sessions, info.Kind, holder);
        json.WriteEndArray();
        if (info.Kind == HoldingKind.Lease)
            return;
        json.WriteStartArray("waiters");
        foreach (LockWaiter waiter in info.Waiters)
            WriteWaiter(json, sessions, info.Kind, waiter);
        json.WriteEndArray();
    }

    private static void WriteHolder(Utf8JsonWriter json, SessionIds sessions, HoldingKind kind, LockHolder holder)
    {
        json.WriteStartObject();
        if (kind == HoldingKind.Lease)
            json.WriteId("leaseId", holder.Token);
        else
            json.WriteSession("sessionId", sessions, holder.SessionId);
        json.WriteNumber("token", holder.Token);
        json.WriteSeconds("heldSeconds", holder.HeldUs);
        json.WriteString(kind == HoldingKind.Lease ? "owner" : "label", holder.Label);
        if (kind != HoldingKind.Lease)
            json.WriteString("sessionMetadata", holder.SessionMetadata);
        if (holder.RemainingUs >= 0)
            json.WriteSeconds("remainingSeconds", holder.RemainingUs);
        if (holder.Holds > 1)
            json.WriteNumber("holds", holder.Holds);
        // An exclusive holding's floor is its own token.
        if (holder.Floor != 0 && holder.Floor != holder.Token)
            json.WriteNumber("floor", holder.Floor);
        if (holder.ReleaseRequested)
        {
            json.WriteString("releaseRequested", holder.ReleaseReason);
            json.WriteSeconds("releaseRequestedSeconds", holder.ReleaseRequestedUs);
        }
        WriteKind(json, kind, holder.Shared ? "shared" : "exclusive", holder.Permits, holder.Value, holder.TraceId);
        json.WriteEndObject();
    }

    private static void WriteWaiter(Utf8JsonWriter json, SessionIds sessions, HoldingKind kind, LockWaiter waiter)
    {
        json.WriteStartObject();
        json.WriteSession("sessionId", sessions, waiter.SessionId);
        json.WriteNumber("entryIndex", waiter.EntryIndex);
        json.WriteSeconds("waitedSeconds", waiter.WaitedUs);
        if (waiter.RemainingUs < 0)
            json.WriteString("remainingSeconds", HoldingResource.Unbounded);
        else
            json.WriteSeconds("remainingSeconds", waiter.RemainingUs);
        json.WriteString("label", waiter.Label);
        if (waiter.Resources > 1)
            json.WriteNumber("resources", waiter.Resources);
        string mode = waiter.Upgrade ? "upgrade" : waiter.Shared ? "shared" : "exclusive";
        WriteKind(json, kind, mode, waiter.Permits, waiter.Value, waiter.TraceId);
        json.WriteEndObject();
    }

    private static void WriteKind(
        Utf8JsonWriter json, HoldingKind kind, string mode, int permits, string value, string traceId)
    {
        if (kind == HoldingKind.Lock)
            json.WriteString("mode", mode);
        else if (kind == HoldingKind.Semaphore)
            json.WriteNumber("permits", permits);
        else if (kind == HoldingKind.Election)
            json.WriteString("value", value);
        if (traceId.Length > 0)
            json.WriteString("traceId", traceId);
    }
}
