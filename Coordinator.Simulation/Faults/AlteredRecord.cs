using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Simulation.Faults;

/// <summary>Another value under a key, with all else as it was: what no revision has done.</summary>
internal static class AlteredRecord
{
    public static void Put(CoordinationState state, string key, ByteString value)
    {
        ConfigRecord record = state.Config.Find(key)!;
        state.Config.Records.Replace(key, ConfigRecord.Of(
            value, record.ContentType, record.Version, record.CreateRevision, record.ModifyRevision, record.SessionId));
    }
}
