namespace Coordinator.Raft;

/// <summary>How a set of changes takes effect. The numbers are etcd's.</summary>
public enum ConfChangeTransition : byte
{
    /// <summary>One change: at once. Several: as <see cref="JointImplicit"/>.</summary>
    Auto = 0,

    /// <summary>Through a joint configuration, which the leader leaves by itself.</summary>
    JointImplicit = 1,

    /// <summary>Through a joint configuration, which an empty change leaves.</summary>
    JointExplicit = 2,
}
