using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Replica.State;

/// <summary>The last part of a snapshot: keys in ordinal order.</summary>
internal static class SnapshotConfig
{
    public static void Write(string key, ConfigRecord record, SnapshotWriter writer)
    {
        writer.Text(key);
        writer.Bytes(record.Value.Span);
        writer.Text(record.ContentType);
        writer.Int64(record.Version);
        writer.Int64(record.CreateRevision);
        writer.Int64(record.ModifyRevision);
    }

    public static void Read(CoordinationState state, SnapshotReader reader)
    {
        int count = reader.Count("the number of keys", int.MaxValue);
        string? previousKey = null;
        for (int i = 0; i < count; i++)
        {
            previousKey = StateSnapshot.ReadName(reader, "a key", previousKey);
            state.Config.Add(previousKey, ReadRecord(state, reader));
        }
    }

    private static ConfigRecord ReadRecord(CoordinationState state, SnapshotReader reader)
    {
        // Copied: a value must not keep the whole snapshot in memory.
        ByteString value = ByteString.CopyFrom(reader.Bytes("a value", Limits.ValueBytesMax));
        string contentType = StateSnapshot.ReadLabel(reader, "a content type");
        long version = reader.Int64("a version", 1, state.Revision);
        long created = reader.Int64("a create revision", 1, state.Revision);
        return new ConfigRecord
        {
            Value = value,
            ContentType = contentType,
            Version = version,
            CreateRevision = created,
            ModifyRevision = reader.Int64("a modify revision", created, state.Revision),
        };
    }
}
