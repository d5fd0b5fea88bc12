namespace Coordinator.Raft;

/// <summary>A member of a Raft group. Used once for all time; <see cref="None"/> stands for nobody.</summary>
public readonly record struct PeerId(long Value) : IComparable<PeerId>
{
    public static readonly PeerId None;

    public bool IsNone => Value == 0;

    public int CompareTo(PeerId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static bool operator <(PeerId left, PeerId right) => left.Value < right.Value;
    public static bool operator >(PeerId left, PeerId right) => left.Value > right.Value;
    public static bool operator <=(PeerId left, PeerId right) => left.Value <= right.Value;
    public static bool operator >=(PeerId left, PeerId right) => left.Value >= right.Value;
}
