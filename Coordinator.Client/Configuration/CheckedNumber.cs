using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>Half a <see cref="Check"/>: a version or revision of a key, to be compared with one of these.</summary>
public sealed class CheckedNumber
{
    private readonly string _key;
    private readonly Action<Compare, long> _set;

    internal CheckedNumber(string key, Action<Compare, long> set) => (_key, _set) = (key, set);

    public Check Is(long number) => Check.Of(_key, CompareRelation.Equal, number, _set);

    public Check IsNot(long number) => Check.Of(_key, CompareRelation.NotEqual, number, _set);

    public Check IsLessThan(long number) => Check.Of(_key, CompareRelation.Less, number, _set);

    public Check IsGreaterThan(long number) => Check.Of(_key, CompareRelation.Greater, number, _set);
}
