using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>Half a <see cref="Check"/>: a key's value, to be compared with one of these. Text is compared as UTF-8.</summary>
public sealed class CheckedValue
{
    private readonly string _key;

    internal CheckedValue(string key) => _key = key;

    public Check Is(string text) => Is(Keys.Utf8(text));

    public Check Is(ReadOnlySpan<byte> value) => Check.Of(_key, CompareRelation.Equal, value);

    public Check IsNot(string text) => IsNot(Keys.Utf8(text));

    public Check IsNot(ReadOnlySpan<byte> value) => Check.Of(_key, CompareRelation.NotEqual, value);

    public Check IsLessThan(ReadOnlySpan<byte> value) => Check.Of(_key, CompareRelation.Less, value);

    public Check IsGreaterThan(ReadOnlySpan<byte> value) => Check.Of(_key, CompareRelation.Greater, value);
}
