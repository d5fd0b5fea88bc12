namespace Coordinator.Raft;

/// <summary>A Raft term (§5.1). At most one leader is elected in each. 0: before the first.</summary>
public readonly record struct Term(long Value) : IComparable<Term>
{
    public static readonly Term Zero;

    public Term Next => new(Value + 1);

    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static bool operator <(Term left, Term right) => left.Value < right.Value;
    public static bool operator >(Term left, Term right) => left.Value > right.Value;
    public static bool operator <=(Term left, Term right) => left.Value <= right.Value;
    public static bool operator >=(Term left, Term right) => left.Value >= right.Value;
}
