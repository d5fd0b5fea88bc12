namespace Coordinator.Raft;

/// <summary>A member of a Raft group. Used once for all time; <see cref="None"/> stands for nobody.</summary>
public readonly record struct PeerId(long Value) : IComparable<PeerId>
{
    public static readonly PeerId None;

    /// <summary>
    /// The target of <see cref="MessageType.StorageAppend"/>: the peer's own durable log. Never a member.
    /// </summary>
    public static readonly PeerId LocalAppendThread = new(long.MaxValue);

    /// <summary>
    /// The target of <see cref="MessageType.StorageApply"/>: the peer's own state machine. Never a member.
    /// </summary>
    public static readonly PeerId LocalApplyThread = new(long.MaxValue - 1);

    public bool IsNone => Value == 0;

    /// <summary>One of the two local targets. A message that names one must never be taken from the network.</summary>
    public bool IsLocalThread => Value >= long.MaxValue - 1;

    public int CompareTo(PeerId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static bool operator <(PeerId left, PeerId right) => left.Value < right.Value;
    public static bool operator >(PeerId left, PeerId right) => left.Value > right.Value;
    public static bool operator <=(PeerId left, PeerId right) => left.Value <= right.Value;
    public static bool operator >=(PeerId left, PeerId right) => left.Value >= right.Value;
}
