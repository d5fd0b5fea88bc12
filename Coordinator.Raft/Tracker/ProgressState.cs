namespace Coordinator.Raft;

/// <summary>How a leader deals with a follower.</summary>
public enum ProgressState : byte
{
    /// <summary>Where the logs match is unknown: one append at a time finds it out.</summary>
    Probe,

    /// <summary>The logs match up to what was sent: appends are pipelined.</summary>
    Replicate,

    /// <summary>The follower needs what the log no longer holds: a snapshot is on its way, appends wait.</summary>
    Snapshot,
}
