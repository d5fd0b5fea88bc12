namespace Coordinator.Raft.Log;

/// <summary>Which committed entries may be handed out for applying.</summary>
internal enum ApplyRule : byte
{
    /// <summary>All: whoever takes them writes first and applies then.</summary>
    WhenCommitted,

    /// <summary>Those that the own storage holds.</summary>
    WhenStable,

    /// <summary>All, but from the first membership change on only those that the own storage holds.</summary>
    MembershipWhenStable,
}
