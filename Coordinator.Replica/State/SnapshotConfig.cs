using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Replica.State;

/// <summary>The last part of a snapshot but one: keys in ordinal order.</summary>
internal static class SnapshotConfig
{
    public static void Write(string key, ConfigRecord record, SnapshotWriter writer)
    {
        writer.Text(key);
        WriteRecord(record, writer);
    }

    public static void Read(CoordinationState state, SnapshotReader reader)
    {
        int count = reader.Count("the number of keys", int.MaxValue);
        string? previousKey = null;
        for (int i = 0; i < count; i++)
        {
            previousKey = StateSnapshot.ReadName(reader, "a key", previousKey);
            ConfigRecord record = ReadRecord(state.Config, reader);
            if (record.SessionId != 0)
                RequireSession(state, previousKey, record.SessionId, reader);
            state.Config.Restore(previousKey, record);
        }
    }

    public static void WriteRecord(ConfigRecord record, SnapshotWriter writer)
    {
        writer.Bytes(record.Value.Span);
        writer.Text(record.ContentType);
        writer.Int64(record.Version);
        writer.Int64(record.CreateRevision);
        writer.Int64(record.ModifyRevision);
        writer.Int64(record.SessionId);
    }

    public static ConfigRecord ReadRecord(ConfigStore store, SnapshotReader reader)
    {
        // Copied: a value must not keep the whole snapshot in memory.
        ByteString value = ByteString.CopyFrom(reader.Bytes("a value", Limits.ValueBytesMax));
        string contentType = store.OneInstance(StateSnapshot.ReadLabel(reader, "a content type"));
        long version = reader.Int64("a version", 1, store.Revision);
        long created = reader.Int64("a create revision", 1, store.Revision);
        long modified = reader.Int64("a modify revision", created, store.Revision);
        long sessionId = reader.Int64("a key's session", 0, long.MaxValue);
        // Each put takes a revision of its own.
        reader.Require(
            version == 1 ? modified == created : version - 1 <= modified - created,
            $"version {version} of a key cannot lie between its create revision {created} and revision {modified}.");
        return ConfigRecord.Of(value, contentType, version, created, modified, sessionId);
    }

    private static void RequireSession(CoordinationState state, string key, long sessionId, SnapshotReader reader)
    {
        reader.Require(state.HasSession(sessionId), $"key '{key}' is bound to session {sessionId}, which is not there.");
        reader.Require(
            state.Config.KeysOf(sessionId).Count < state.Settings.KeysPerSession,
            $"session {sessionId} has more keys than it may.");
    }
}
