using System.Text;
using System.Text.Json;
using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>A setting as it was read.</summary>
public sealed record ConfigEntry
{
    public required string Key { get; init; }

    /// <summary>Empty when only keys were asked for.</summary>
    public ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>As given with the put; empty if none was.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>1 when the key was created, +1 for each put since.</summary>
    public long Version { get; init; }

    /// <summary>The revision that created the key.</summary>
    public long CreateRevision { get; init; }

    /// <summary>The revision of the last put.</summary>
    public long ModifyRevision { get; init; }

    /// <summary>The key is deleted when this session ends; null: it is bound to none.</summary>
    public long? SessionId { get; init; }

    /// <summary>Of the answer.</summary>
    public LogPosition Position { get; init; }

    /// <summary>The value as UTF-8 text; bytes that are none become U+FFFD.</summary>
    public string GetString() => Encoding.UTF8.GetString(Value.Span);

    /// <summary>The value as JSON.</summary>
    /// <exception cref="JsonException">It is none, or none of a <typeparamref name="T"/>.</exception>
    public T? GetJson<T>(JsonSerializerOptions? options = null) => JsonSerializer.Deserialize<T>(Value.Span, options);

    internal static ConfigEntry Of(Contracts.ConfigEntry entry, Position? position) => new()
    {
        Key = entry.Key,
        Value = entry.Value.Memory,
        ContentType = entry.ContentType,
        Version = entry.Version,
        CreateRevision = entry.CreateRevision,
        ModifyRevision = entry.ModifyRevision,
        SessionId = entry.SessionId == 0 ? null : entry.SessionId,
        Position = LogPosition.Of(position),
    };
}
