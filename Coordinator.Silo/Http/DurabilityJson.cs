using System.Text.Json;
using Coordinator.Grains;
using Coordinator.Grains.Storage;

namespace Coordinator.Silo.Http;

/// <summary>What acknowledged means now: the faults that it survives, and the state of this silo's own database.</summary>
internal static class DurabilityJson
{
    public static void Write(Utf8JsonWriter json, GroupStatus status)
    {
        if (status.Durability is { } durability)
        {
            json.WriteStartObject("durability");
            json.WriteNumber("faultsTolerated", durability.FaultsTolerated);
            json.WriteString("because", durability.Because);
            json.WriteEndObject();
        }
        if (status.Database is { } database)
            Write(json, database);
    }

    private static void Write(Utf8JsonWriter json, DatabaseHealth database)
    {
        json.WriteStartObject("database");
        json.WriteBoolean("available", database.Available);
        json.WriteString("checkedAt", database.CheckedAt);
        json.WriteStartArray("refusals");
        foreach (string refusal in database.Refusals)
            json.WriteStringValue(refusal);
        json.WriteEndArray();
        json.WriteNumber("oldestSnapshotSeconds", Math.Round((database.OldestSnapshotAge ?? TimeSpan.Zero).TotalSeconds, 1));
        json.WriteEndObject();
    }
}
