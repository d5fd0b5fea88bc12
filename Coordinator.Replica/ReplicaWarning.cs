using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>What an operator should know of a leader that still leads. No decision hangs on it.</summary>
public abstract record ReplicaWarning
{
    private ReplicaWarning()
    {
    }

    /// <summary>A follower has said nothing for this long.</summary>
    public sealed record FollowerSilent(PeerId Peer, long SilentUs) : ReplicaWarning;

    /// <summary>One that was reported as silent has been heard again.</summary>
    public sealed record FollowerHeardAgain(PeerId Peer) : ReplicaWarning;

    /// <summary>Its storage has answered nothing for this long; it hands leadership over.</summary>
    public sealed record StorageStalled(long StalledUs) : ReplicaWarning;

    /// <summary>So much time passed between two ticks that followers may soon elect another.</summary>
    public sealed record HeartbeatLate(long IntervalUs, long ElectionTimeoutUs) : ReplicaWarning;
}
