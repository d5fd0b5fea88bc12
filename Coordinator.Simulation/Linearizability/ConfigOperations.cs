using System.Text.Json.Serialization;

namespace Coordinator.Simulation.Linearizability;

/// <summary>What a client asks of a configuration key.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "op")]
[JsonDerivedType(typeof(Get), "get")]
[JsonDerivedType(typeof(Put), "put")]
[JsonDerivedType(typeof(Delete), "delete")]
[JsonDerivedType(typeof(CompareAndSet), "compare-and-set")]
[JsonDerivedType(typeof(CompareAndDelete), "compare-and-delete")]
[JsonDerivedType(typeof(Transact), "transaction")]
internal abstract record ConfigInput(string Key)
{
    public sealed record Get(string Key) : ConfigInput(Key);

    public sealed record Put(string Key, string Value) : ConfigInput(Key);

    public sealed record Delete(string Key) : ConfigInput(Key);

    /// <summary>A put that happens only if the key is as expected.</summary>
    public sealed record CompareAndSet(string Key, ConfigExpectation Expected, string Value) : ConfigInput(Key);

    /// <summary>A delete that happens only if the key is as expected.</summary>
    public sealed record CompareAndDelete(string Key, ConfigExpectation Expected) : ConfigInput(Key);

    /// <summary>One of two branches, by what the key is; null: the branch does nothing.</summary>
    public sealed record Transact(string Key, ConfigExpectation Expected, ConfigAction? Then, ConfigAction? Else) : ConfigInput(Key);
}

/// <summary>What a branch of a transaction does to its one key.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "do")]
[JsonDerivedType(typeof(Get), "get")]
[JsonDerivedType(typeof(Put), "put")]
[JsonDerivedType(typeof(Delete), "delete")]
internal abstract record ConfigAction
{
    public sealed record Get : ConfigAction;

    public sealed record Put(string Value) : ConfigAction;

    public sealed record Delete : ConfigAction;
}

/// <summary>A condition on a key. An absent key has version 0, revision 0 and no value.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "compare")]
[JsonDerivedType(typeof(ValueIs), "value")]
[JsonDerivedType(typeof(VersionIs), "version")]
[JsonDerivedType(typeof(RevisionIs), "revision")]
internal abstract record ConfigExpectation
{
    public sealed record ValueIs(string? Value) : ConfigExpectation;

    public sealed record VersionIs(long Version) : ConfigExpectation;

    /// <summary>Of the key's last change.</summary>
    public sealed record RevisionIs(long Revision) : ConfigExpectation;
}

/// <summary>What the service answered.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "outcome")]
[JsonDerivedType(typeof(Found), "found")]
[JsonDerivedType(typeof(NotFound), "not-found")]
[JsonDerivedType(typeof(Stored), "stored")]
[JsonDerivedType(typeof(Deleted), "deleted")]
[JsonDerivedType(typeof(Differed), "differed")]
[JsonDerivedType(typeof(Transacted), "transacted")]
internal abstract record ConfigOutput
{
    /// <summary><paramref name="Revision"/>: of the key's last change.</summary>
    public sealed record Found(string Value, long Version, long Revision) : ConfigOutput;

    public sealed record NotFound : ConfigOutput;

    public sealed record Stored(long Version, long Revision) : ConfigOutput;

    /// <param name="Revision">Null: not told.</param>
    public sealed record Deleted(long? Revision) : ConfigOutput;

    /// <summary>A compare-and-set or -delete found the key other than expected, and changed nothing.</summary>
    public sealed record Differed : ConfigOutput;

    /// <param name="Revision">The group's, after it: the key's own, if the branch changed the key.</param>
    /// <param name="Told">By the branch's operation; null: it has none, or this answers a repeat.</param>
    public sealed record Transacted(bool IsThen, long Revision, ConfigOutput? Told) : ConfigOutput;
}
