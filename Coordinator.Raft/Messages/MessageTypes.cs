namespace Coordinator.Raft;

/// <summary>Which messages may come from where.</summary>
public static class MessageTypes
{
    /// <summary>Made by a peer for itself or its storage: never taken from the network.</summary>
    public static bool IsLocal(this MessageType type) => type
        is MessageType.Hup
        or MessageType.Beat
        or MessageType.Unreachable
        or MessageType.SnapStatus
        or MessageType.CheckQuorum
        or MessageType.StorageAppend
        or MessageType.StorageAppendResp
        or MessageType.StorageApply
        or MessageType.StorageApplyResp;

    /// <summary>An answer: of no use from a peer that isn't tracked.</summary>
    public static bool IsResponse(this MessageType type) => type
        is MessageType.AppResp
        or MessageType.VoteResp
        or MessageType.HeartbeatResp
        or MessageType.Unreachable
        or MessageType.ReadIndexResp
        or MessageType.PreVoteResp
        or MessageType.StorageAppendResp
        or MessageType.StorageApplyResp;
}
