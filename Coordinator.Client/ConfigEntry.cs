using System.Text;

namespace Coordinator.Client;

/// <summary>Where an answer comes from.</summary>
/// <param name="Index">The log index that it reflects.</param>
/// <param name="Revision">The group's last change of configuration at that index.</param>
public readonly record struct LogPosition(int Group, long Term, long Index, long Revision);

/// <summary>What became of a put.</summary>
/// <param name="Revision">Of the group, after the change.</param>
/// <param name="Version">Of the key: 1 for a new one, +1 for each put.</param>
public readonly record struct ConfigRevision(long Revision, long Version);

/// <summary>From where a read is answered.</summary>
public enum ReadConsistency
{
    /// <summary>Reflects every write that was confirmed before the read began. Costs a round to a quorum.</summary>
    Linearizable,

    /// <summary>What the silo itself knows, perhaps a little old; answered also without a quorum.</summary>
    Serializable,
}

/// <summary>A setting as it was read.</summary>
public sealed record ConfigEntry
{
    public required string Key { get; init; }

    public ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>As given with the put; empty if none was.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>1 when the key was created, +1 for each put since.</summary>
    public long Version { get; init; }

    /// <summary>The revision that created the key.</summary>
    public long CreateRevision { get; init; }

    /// <summary>The revision of the last put.</summary>
    public long ModifyRevision { get; init; }

    /// <summary>Of the answer.</summary>
    public LogPosition Position { get; init; }

    /// <summary>The value as UTF-8 text; bytes that are none become U+FFFD.</summary>
    public string GetString() => Encoding.UTF8.GetString(Value.Span);
}
