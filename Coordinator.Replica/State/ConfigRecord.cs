using Google.Protobuf;

namespace Coordinator.Replica.State;

/// <summary>
/// What a key was from one revision to the next that changed it. Never changed: the present and the history share it.
/// Invariant: version 1 when create and modify revision are one, otherwise create revision &lt; modify revision ≤ the
/// group's.
/// </summary>
internal class ConfigRecord
{
    public required ByteString Value { get; init; }

    public required string ContentType { get; init; }

    /// <summary>1 when the key was created, +1 with each put.</summary>
    public required long Version { get; init; }

    public required long CreateRevision { get; init; }

    public required long ModifyRevision { get; init; }

    /// <summary>The key ends with this session; 0: it is bound to none.</summary>
    public virtual long SessionId => 0;

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
internal sealed class BoundConfigRecord(long sessionId) : ConfigRecord
{
    public override long SessionId { get; } = sessionId;
}
