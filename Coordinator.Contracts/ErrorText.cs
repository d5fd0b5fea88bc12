namespace Coordinator.Contracts;

/// <summary>What each refusal by the replicated state means, for a person: where a result carries only its code.</summary>
public static class ErrorText
{
    /// <summary>Empty for <see cref="ErrorCode.Ok"/>.</summary>
    public static string Of(ErrorCode code) => code switch
    {
        ErrorCode.Ok => "",
        ErrorCode.SessionNotFound => "The session has ended, or never was. What it held is released: create a new one.",
        ErrorCode.LockNotAcquired => "Another session holds the lock.",
        ErrorCode.LockNotHeld => "This session does not hold the lock, or not with this token.",
        ErrorCode.LockAlreadyHeld => "This session holds the lock already.",
        ErrorCode.LockNotFound => "Nobody holds the lock or waits for it.",
        ErrorCode.KeyNotFound => "There is no such key.",
        ErrorCode.RequestIdStale => "The request id is below answered_below: its result is no longer kept.",
        ErrorCode.TooManyWaiters => "Too many requests wait for the lock already.",
        ErrorCode.TooManyHoldings => "The session holds and waits for as many resources as it may.",
        ErrorCode.TooManyOpenRequests => "The session has too many requests whose answers it has not confirmed.",
        ErrorCode.TooManySessions => "The group has as many sessions as it may.",
        ErrorCode.NotWaiting => "The request neither waits nor holds anything.",
        ErrorCode.RequestMismatch => "The request id was used before, for another operation.",
        ErrorCode.PeerNotFound => "There is no such peer, or it is not of the kind that the change needs.",
        ErrorCode.PeerChangeRefused => "The change does not fit the present peers.",
        ErrorCode.PeerChangeInProgress => "Another change of peers is not finished; ask again.",
        ErrorCode.PeerNotCaughtUp => "The learner lags too far behind to vote; ask again.",
        ErrorCode.SiloNotFound => "There is no such silo in the cluster.",
        ErrorCode.SiloUnreachable => "The silo is not reached, or not ready; ask again.",
        ErrorCode.QuorumAtRisk => "Of the voters after this change too few answer now.",
        ErrorCode.ReplicaBehind => "This replica has not come as far as the caller has seen; ask another, or again.",
        ErrorCode.RolledBack => "The caller has seen a later state than the group has: a database went back in time, or what the caller has seen is another cluster's or group's.",
        ErrorCode.TooManyWatches => "As many watches as may be are open; end one first.",
        ErrorCode.Compacted => "The revision is no longer kept: it was compacted.",
        ErrorCode.RevisionInFuture => "The revision is above the group's.",
        ErrorCode.ConditionFailed => "The key is not at the version or revision that was expected.",
        ErrorCode.TooManyKeys => "So many keys cannot change in one revision: take a longer prefix.",
        ErrorCode.TooManyBoundKeys => "As many keys as may be are bound to the session.",
        ErrorCode.AnswerTooLarge => "The values that the transaction reads are too large for one answer.",
        ErrorCode.LimitMismatch => "The semaphore has another limit, as long as anyone holds it or waits for it.",
        ErrorCode.UpgradeInProgress => "Another shared holder waits for its upgrade: release, and acquire exclusively.",
        ErrorCode.DeadlockDetected =>
            "The wait would close a cycle of sessions that wait for each other: release something first.",
        ErrorCode.LeaseNotFound => "The lease was released or has expired, or never was.",
        ErrorCode.CandidateNotFound => "That session does not wait for the election.",
        ErrorCode.TooManyLeases => "The group has as many leases as it may.",
        ErrorCode.HoldingAmbiguous => "The session holds several that fit, with different permits: say which.",
        ErrorCode.TooManyReentries => "The session has entered the lock as often as it may.",
        ErrorCode.SnapshotInProgress => "This silo sends a snapshot to somebody else; ask again when that is done.",
        ErrorCode.GrantsHeldBack =>
            "The group was restored, and grants nothing until all who held something before must have noticed: wait, or ask again later.",
        _ => $"Refused: {code}.",
    };
}
