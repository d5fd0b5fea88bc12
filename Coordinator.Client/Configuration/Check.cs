using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Client;

/// <summary>
/// What a transaction asks of a key. A key that doesn't exist has version and revisions 0, and its value is none: not
/// equal, unequal, less or greater than any.
/// </summary>
public sealed class Check
{
    private Check(Compare compare)
    {
        Keys.CheckKey(compare.Key);
        Compare = compare;
    }

    internal Compare Compare { get; }

    public static Check Exists(string key) => new(new Compare { Key = key ?? "", Exists = true });

    public static Check Missing(string key) => new(new Compare { Key = key ?? "", Exists = false });

    /// <summary>How often the key was put since it was created.</summary>
    public static CheckedNumber Version(string key) =>
        new(key, static (compare, number) => compare.Version = number);

    /// <summary>The revision that created the key.</summary>
    public static CheckedNumber CreateRevision(string key) =>
        new(key, static (compare, number) => compare.CreateRevision = number);

    /// <summary>The revision that last put the key.</summary>
    public static CheckedNumber ModifyRevision(string key) =>
        new(key, static (compare, number) => compare.ModifyRevision = number);

    /// <summary>Compared by bytes, as numbers from 0 to 255; of two that begin alike, the shorter is less.</summary>
    public static CheckedValue Value(string key) => new(key);

    internal static Check Of(string key, CompareRelation relation, long number, Action<Compare, long> set)
    {
        Compare compare = new() { Key = key ?? "", Relation = relation };
        set(compare, number);
        return new Check(compare);
    }

    internal static Check Of(string key, CompareRelation relation, ReadOnlySpan<byte> value) =>
        new(new Compare { Key = key ?? "", Relation = relation, Value = ByteString.CopyFrom(value) });
}
