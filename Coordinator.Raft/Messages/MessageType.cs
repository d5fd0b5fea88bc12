namespace Coordinator.Raft;

/// <summary>What a message is for. The set and the numbers are etcd's.</summary>
public enum MessageType : byte
{
    /// <summary>Local: start an election.</summary>
    Hup = 0,

    /// <summary>Local: a leader sends heartbeats.</summary>
    Beat = 1,

    /// <summary>Entries to append, forwarded to the leader.</summary>
    Prop = 2,

    /// <summary>AppendEntries (Raft §5.3): entries after (Index, LogTerm), and the commit index.</summary>
    App = 3,

    /// <summary>Its answer: matched up to Index, or rejected with a hint where the logs may match.</summary>
    AppResp = 4,

    /// <summary>RequestVote (Raft §5.2); Index and LogTerm name the candidate's last entry.</summary>
    Vote = 5,
    VoteResp = 6,

    /// <summary>InstallSnapshot (Raft §7).</summary>
    Snap = 7,
    Heartbeat = 8,
    HeartbeatResp = 9,

    /// <summary>Local: the last message to From didn't reach it.</summary>
    Unreachable = 10,

    /// <summary>Local: what became of a snapshot sent to From.</summary>
    SnapStatus = 11,

    /// <summary>Local: a leader looks whether a quorum has answered lately.</summary>
    CheckQuorum = 12,

    /// <summary>Hand leadership to From.</summary>
    TransferLeader = 13,

    /// <summary>From the leader to its successor: campaign at once.</summary>
    TimeoutNow = 14,
    ReadIndex = 15,
    ReadIndexResp = 16,

    /// <summary>Would you vote for me? Changes no term (thesis §9.6).</summary>
    PreVote = 17,
    PreVoteResp = 18,

    /// <summary>To the own durable log: write, then deliver Responses.</summary>
    StorageAppend = 19,
    StorageAppendResp = 20,

    /// <summary>To the own state machine: apply, then deliver Responses.</summary>
    StorageApply = 21,
    StorageApplyResp = 22,

    /// <summary>A follower forgets its leader, and may then grant votes within the lease.</summary>
    ForgetLeader = 23,

    /// <summary>Of the driver, between peers: what have you seen of my storage? The core is never given it.</summary>
    StorageQuestion = 64,

    /// <summary>Its answer; the core is never given it.</summary>
    StorageAnswer = 65,
}
