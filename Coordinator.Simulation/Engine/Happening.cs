namespace Coordinator.Simulation.Engine;

/// <summary>What a long enough run must have seen at least once: the effects of faults, and each interesting branch.</summary>
internal enum Happening
{
    // Network
    MessageLost,
    MessageDuplicated,
    MessageReordered,
    MessageClogged,
    MessageCut,
    AnswerToEarlierActivation,

    // Processes
    CrashBetweenEffects,
    Restart,
    MessageToFencedActivation,

    // Storage
    WriteSlow,
    WriteFailed,
    WriteUnknownNotExecuted,
    WriteUnknownExecuted,
    WriteUnknownLate,
    LateWriteLanded,
    LateWriteFenced,
    WriteFenced,
    TailReplacementLost,
    WriteBusy,
    ActivationAnswerLost,
    EpochReadFailed,
    ChunkWriteFailed,

    // Branches of the replica
    LeaderElected,
    LeaderChanged,
    PeerAdded,
    PeerPromoted,
    PeerDemoted,
    PeerRemoved,
    PeersReplacedJointly,
    LostPeerReplaced,
    PeerChangePutOff,
    LeaderLeft,
    ConflictingTailRemoved,
    WriteLanded,
    Reactivated,
    Superseded,
    Quarantined,
    StateAheadOfStoredLog,
    SnapshotTaken,
    SnapshotInstalled,
    LogCompacted,
    SnapshotOutlivedItsLeader,
    CompactedPastFollower,
    EpochConfirmed,

    // Clients
    SessionCreated,
    SessionKeptAlive,
    SessionExpired,
    SessionClosed,
    ClientVanished,
    ClientReachedDeadline,
    SleepOutlivedSession,
    GrantAtOnce,
    GrantAfterWait,
    TryRefused,
    WaitTimedOut,
    CancelBeforeGrant,
    CancelAfterGrant,
    LockReleased,
    RequestRepeated,
    RepeatAnswered,
    OutcomeUnknown,
    Overloaded,
    Written,
    Deleted,
    ReadLinearizable,
    ReadSerializable,
    ReadRefused,

    // Conclusions
    Healed,
    Converged,
    HistoryChecked,
    HistoryOperationChecked,
}
