namespace Coordinator.Replica;

/// <summary>
/// Mistakes that tests plant in the replica to prove that they would be noticed. Read when a replica or a state is made;
/// nothing but a test can set it.
/// </summary>
internal enum SeededBug : byte
{
    None,

    // The driver
    ReadsWithoutEpochRead,
    ReadsBeforeFirstCommit,
    ReadsJoinRoundUnderWay,
    WitnessNotHeard,
    WatchesFromOwnNow,
    WatchesMissInstall,
    RevisionToldTwice,
    ProgressMarkAhead,
    ElectionChangesUntold,
    ObservesOwnState,
    ReleaseRequestsUntold,
    OwnRevisionTakenForGroups,
    RequestsVotesBeforeWrite,
    AnswersAtAppend,
    LostCommandsSaidNotToHaveHappened,
    TicketsMatchedByIndexAlone,
    StoredTailTakenForCommitted,
    SnapshotNeverSentAgain,
    ClockOfItsOwn,
    DeposedClockGoesOn,
    CompactsBeforeSnapshot,
    SnapshotBeforeDurable,
    InstallKeepsLog,
    SnapshotLacksMember,
    InstallWrittenAgain,
    LevelNotReplicated,
    LevelRaisedAlone,
    HashNotCompared,
    LeadersHashTakenForTruth,
    HashForgetsDeletes,
    StorageNotCompared,
    ComparedBeforeAnswers,
    BlankStorageTrusted,
    WitnessFileIgnored,
    EveryTimelineVouched,
    SightingsForgotten,
    RestsWithPending,
    RestsWithFollowerBehind,
    SleepsOnWithoutLeader,

    // The state
    GrantsToEndedSession,
    HoldingOutlivesSession,
    GrantsLastInLine,
    TokenUsedAgain,
    RepeatsExecutedAgain,
    ResultsLeftOutOfSnapshot,
    ExpiresEarly,
    CancelLeavesWait,
    AnyCompareDoes,
    BoundKeyOutlivesSession,
    HistoryLeftOutOfSnapshot,
    RollBackKeepsNewKeys,
    ThenDoneForElse,
    CompactsAtOwnPace,
    ReadsNextRevision,
    RefusalsNotKept,
    SharedPassesQueue,
    PermitsBeyondLimit,
    GrantsPartOfSeveral,
    EndsNotNoticed,
    FloorIsOwnToken,
    HoldOutlivesMaximum,
    LockDelayIgnored,
    DeadlocksUnseen,
    LeaseNotRenewed,
}

internal static class SeededBugs
{
    /// <summary>Of this thread alone: tests beside it run the real replica.</summary>
    [ThreadStatic]
    internal static SeededBug Planted;
}
