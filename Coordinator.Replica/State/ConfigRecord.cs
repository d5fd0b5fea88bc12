using Google.Protobuf;

namespace Coordinator.Replica.State;

/// <summary>
/// What a key was from one revision to the next that changed it. Never changed: the present and the history share it.
/// Invariant: version 1 when create and modify revision are one, otherwise create revision &lt; modify revision ≤ the
/// group's.
/// </summary>
internal class ConfigRecord
{
    private protected ConfigRecord(ByteString value, string contentType, long version, long createRevision, long modifyRevision)
    {
        Value = value;
        ContentType = contentType;
        Version = version;
        CreateRevision = createRevision;
        ModifyRevision = modifyRevision;
    }

    public ByteString Value { get; }

    public string ContentType { get; }

    /// <summary>1 when the key was created, +1 with each put.</summary>
    public long Version { get; }

    public long CreateRevision { get; }

    public long ModifyRevision { get; }

    /// <summary>The key ends with this session; 0: it is bound to none.</summary>
    public virtual long SessionId => 0;

    /// <param name="sessionId">0: the key is bound to none.</param>
    public static ConfigRecord Of(
        ByteString value, string contentType, long version, long createRevision, long modifyRevision, long sessionId) =>
        sessionId == 0
            ? new ConfigRecord(value, contentType, version, createRevision, modifyRevision)
            : new BoundConfigRecord(value, contentType, version, createRevision, modifyRevision, sessionId);

    public ulong HashWith(string key)
    {
        var hash = new StateHash(StateHash.Of(key));
        hash.Add(Value.Span);
        hash.Add(ContentType);
        hash.Add(Version);
        hash.Add(CreateRevision);
        hash.Add(ModifyRevision);
        hash.Add(SessionId);
        return hash.Value;
    }
}

/// <summary>Of a key that ends with a session. A type of its own: a million keys that don't need no room for the id.</summary>
internal sealed class BoundConfigRecord(
    ByteString value, string contentType, long version, long createRevision, long modifyRevision, long sessionId)
    : ConfigRecord(value, contentType, version, createRevision, modifyRevision)
{
    public override long SessionId { get; } = sessionId;
}
