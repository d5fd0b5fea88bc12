namespace Coordinator.Raft;

/// <summary>What became of a snapshot on its way to a follower.</summary>
public enum SnapshotStatus : byte
{
    Finished,
    Failed,
}
