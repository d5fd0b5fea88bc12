using System.Text.Json;
using Coordinator.Contracts;
using Google.Protobuf.Collections;

namespace Coordinator.Silo.Http;

/// <summary>What is acquired together with the first, all or none: "also" in a request, and in its answer.</summary>
internal static class AlsoJson
{
    public static List<AlsoAcquire> Read(Fields fields)
    {
        List<AlsoAcquire> also = [];
        foreach (Fields one in fields.List("also"))
        {
            also.Add(ReadOne(one));
            if (one.Finish() is { } refusal)
                fields.Refuse(refusal.Code, refusal.Message);
        }
        return also;
    }

    public static void Write(Utf8JsonWriter json, RepeatedField<AlsoAcquire> also, CommandResult result)
    {
        if (also.Count == 0)
            return;
        json.WriteStartArray("also");
        for (int i = 0; i < also.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("kind", HoldingJson.WordOf(also[i].Kind));
            json.WriteString("name", also[i].Name);
            if (i < result.AlsoFloors.Count)
                json.WriteNumber("floor", result.AlsoFloors[i]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static AlsoAcquire ReadOne(Fields fields)
    {
        bool isSemaphore = fields.Choice("kind", "lock", "semaphore") == "semaphore";
        AlsoAcquire also = new()
        {
            Kind = isSemaphore ? HoldingKind.Semaphore : HoldingKind.Lock,
            Name = fields.Text("name", ResourceName.Problem, ErrorCode.InvalidName),
        };
        if (isSemaphore)
        {
            also.Permits = (int)Math.Max(1, fields.Count("permits", Limits.PermitsMax));
            also.Limit = (int)fields.Count("limit", Limits.PermitsMax);
        }
        else
        {
            also.Shared = fields.Choice("mode", "exclusive", "shared") == "shared";
        }
        return also;
    }
}
