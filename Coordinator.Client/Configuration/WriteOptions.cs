using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>How to store a value.</summary>
public sealed record PutOptions
{
    /// <summary>Null: "text/plain; charset=utf-8" of text, "application/json" of JSON, none of bytes. At most 1 KiB.</summary>
    public string? ContentType { get; init; }

    /// <summary>
    /// Only if the key is at this version: the compare and the put are one step. 0: only if there is no such key.
    /// </summary>
    public long? ExpectedVersion { get; init; }

    /// <summary>
    /// Only if the key was last put by this revision. Unlike a version, a revision never comes again when a key is
    /// deleted and created anew. 0: only if there is no such key.
    /// </summary>
    public long? ExpectedRevision { get; init; }

    /// <summary>Only if there is no such key.</summary>
    public bool MustNotExist { get; init; }

    /// <summary>
    /// The key is deleted when this client's present session ends: with the client, or when the cluster has not heard
    /// of it for a session's TTL. A later put without this sets the key free.
    /// </summary>
    public bool BindToSession { get; init; }

    internal void Apply(PutConfig put)
    {
        if (MustNotExist && (ExpectedVersion is > 0 || ExpectedRevision is > 0))
            throw new ArgumentException("A key that must not exist has no version or revision to expect.");
        Expectation.Check(ExpectedVersion, ExpectedRevision);
        put.BindSession = BindToSession;
        if ((MustNotExist ? 0 : ExpectedVersion) is { } version)
            put.ExpectedVersion = version;
        if (ExpectedRevision is { } revision)
            put.ExpectedModifyRevision = revision;
    }
}

/// <summary>When to delete a key.</summary>
public sealed record DeleteOptions
{
    /// <summary>Only if the key is at this version.</summary>
    public long? ExpectedVersion { get; init; }

    /// <summary>Only if the key was last put by this revision.</summary>
    public long? ExpectedRevision { get; init; }

    internal void Apply(DeleteConfig delete)
    {
        Expectation.Check(ExpectedVersion, ExpectedRevision);
        if (ExpectedVersion is { } version)
            delete.ExpectedVersion = version;
        if (ExpectedRevision is { } revision)
            delete.ExpectedModifyRevision = revision;
    }
}

internal static class Expectation
{
    public static void Check(long? version, long? revision)
    {
        if (version < 0 || revision < 0)
            throw new ArgumentException("An expected version or revision may not be negative.");
    }
}
