using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Cluster;

/// <summary>The bugs that the simulator must notice: the core's, the replica's, the storage's, the shell's, the client's.</summary>
internal static class PlantedBugs
{
    public static readonly IReadOnlyList<PlantedBug> All =
    [
        InRaft("an older term's entry committed by counting", "Raft 5.4.2", SeededRaftBug.CommitsOlderTermByCounting),
        InRaft("a vote for a shorter log", "Raft 5.4.1", SeededRaftBug.VotesForShorterLog),
        InRaft("a second vote in a term", "Raft 5.2", SeededRaftBug.VotesTwice),
        InRaft("entries appended without the match", "Raft 5.3", SeededRaftBug.AppendsWithoutMatch),
        InRaft("an old append cuts the tail", "Raft 5.3", SeededRaftBug.CutsTailOnOldAppend),
        InRaft("a heartbeat commits what doesn't match", "Raft 5.3", SeededRaftBug.HeartbeatCommitUnchecked),
        InRaft("ReadIndex without a quorum", "Raft 6.4", SeededRaftBug.ReadsWithoutQuorum),
        new()
        {
            Name = "ReadIndex before the term's first commit",
            Rule = "Raft 6.4",
            Raft = SeededRaftBug.ReadsBeforeFirstCommit,
            Replica = SeededBug.ReadsBeforeFirstCommit,
        },
        InRaft("several voters at once, not jointly", "Raft 6", SeededRaftBug.SeveralVotersAtOnce),
        InReplica("a new member's snapshot that lacks it", "liveness", SeededBug.SnapshotLacksMember),
        InReplica("reads without the epoch read", "rule 6", SeededBug.ReadsWithoutEpochRead),
        InReplica("reads join a round that has begun", "Raft 6.4", SeededBug.ReadsJoinRoundUnderWay),
        InReplica("a witness not heard", "rule 23", SeededBug.WitnessNotHeard),
        InReplica("a watch from now without a quorum", "rule 22", SeededBug.WatchesFromOwnNow),
        InReplica("a watch that a snapshot passes over", "rule 22", SeededBug.WatchesMissInstall),
        InReplica("a revision told twice", "rule 22", SeededBug.RevisionToldTwice),
        InReplica("a progress mark ahead of the revision", "rule 22", SeededBug.ProgressMarkAhead),
        InReplica("an election that nobody is told of", "elections", SeededBug.ElectionChangesUntold),
        InReplica("an election observed from the own state", "elections", SeededBug.ObservesOwnState),
        InReplica("a loss that is not noticed", "notices", SeededBug.EndsNotNoticed),
        InReplica("a request to let go that nobody hears", "notices", SeededBug.ReleaseRequestsUntold),
        new() { Name = "a slow consumer's items dropped", Rule = "rule 22", DropsSlowConsumersItems = true },
        new() { Name = "a slow consumer forgotten", Rule = "rule 22", ForgetsSlowConsumers = true },
        new() { Name = "a watch taken up again from now", Rule = "rule 22", ResumesFromNow = true },
        InReplica("vote requests leave before the write", "rule 5", SeededBug.RequestsVotesBeforeWrite),
        InReplica("answers when appended", "rule 5", SeededBug.AnswersAtAppend),
        InReplica("lost leadership taken for not happened", "rule 15", SeededBug.LostCommandsSaidNotToHaveHappened),
        InReplica("answers matched by index alone", "rule 14", SeededBug.TicketsMatchedByIndexAlone),
        InReplica("a stored tail taken for committed", "rule 4", SeededBug.StoredTailTakenForCommitted),
        InReplica("a lost snapshot never sent again", "liveness", SeededBug.SnapshotNeverSentAgain),
        InReplica("a leader's clock of its own", "rule 10", SeededBug.ClockOfItsOwn),
        InReplica("expiry by a deposed leader", "rule 11", SeededBug.DeposedClockGoesOn),
        InReplica("compaction before the snapshot", "rule 8", SeededBug.CompactsBeforeSnapshot),
        InReplica("a snapshot before its log is durable", "rule 8", SeededBug.SnapshotBeforeDurable),
        InReplica("an installed snapshot keeps the log", "rule 8", SeededBug.InstallKeepsLog),
        InReplica("an installed snapshot is written again", "rule 8", SeededBug.InstallWrittenAgain),
        InReplica("a grant to an ended session", "rule 17", SeededBug.GrantsToEndedSession),
        InReplica("a holding outlives its session", "rule 17", SeededBug.HoldingOutlivesSession),
        InReplica("the last in line first", "rule 20", SeededBug.GrantsLastInLine),
        InReplica("a token used again", "rule 18", SeededBug.TokenUsedAgain),
        InReplica("a repeat executed again", "rule 14", SeededBug.RepeatsExecutedAgain),
        InReplica("results left out of the snapshot", "rule 14", SeededBug.ResultsLeftOutOfSnapshot),
        InReplica("sessions that expire early", "rule 11", SeededBug.ExpiresEarly),
        InReplica("a cancelled wait that goes on", "rule 16", SeededBug.CancelLeavesWait),
        InReplica("one compare that holds is enough", "transactions", SeededBug.AnyCompareDoes),
        InReplica("the first branch done for the second", "transactions", SeededBug.ThenDoneForElse),
        InReplica("a refusal that isn't kept", "rule 14", SeededBug.RefusalsNotKept),
        InReplica("a bound key outlives its session", "bound keys", SeededBug.BoundKeyOutlivesSession),
        InReplica("a roll-back that keeps new keys", "roll-back", SeededBug.RollBackKeepsNewKeys),
        InReplica("history left out of the snapshot", "rule 22", SeededBug.HistoryLeftOutOfSnapshot),
        InReplica("compaction at a replica's own pace", "rule 22", SeededBug.CompactsAtOwnPace),
        InReplica("a read at the next revision", "rule 22", SeededBug.ReadsNextRevision),
        InReplica("the own revision taken for the group's", "rule 22", SeededBug.OwnRevisionTakenForGroups),
        InReplica("a level that isn't replicated", "rule 25", SeededBug.LevelNotReplicated),
        InReplica("a level raised by the leader alone", "rule 25", SeededBug.LevelRaisedAlone),
        InReplica("a hash that nobody compares", "rule 9", SeededBug.HashNotCompared),
        InReplica("the leader's hash taken for the truth", "rule 9", SeededBug.LeadersHashTakenForTruth),
        InReplica("a hash that forgets what was deleted", "rule 9", SeededBug.HashForgetsDeletes),
        InReplica("storage that isn't compared", "rule 4", SeededBug.StorageNotCompared),
        InReplica("storage compared before anyone has answered", "rule 4", SeededBug.ComparedBeforeAnswers),
        InReplica("storage that knows no members trusted", "rule 4", SeededBug.BlankStorageTrusted),
        InReplica("the file beside the silo ignored", "rule 4", SeededBug.WitnessFileIgnored),
        InReplica("every timeline taken for the known one", "rule 4", SeededBug.EveryTimelineVouched),
        InReplica("what was seen of others forgotten", "rule 4", SeededBug.SightingsForgotten),
        InReplica("a shared request that passes the queue", "rule 20", SeededBug.SharedPassesQueue),
        InReplica("more permits than the limit", "rule 18", SeededBug.PermitsBeyondLimit),
        InReplica("a part of several granted", "rule 20", SeededBug.GrantsPartOfSeveral),
        InReplica("a floor that is the own token", "rule 18", SeededBug.FloorIsOwnToken),
        InReplica("a hold beyond its maximum", "maximum hold", SeededBug.HoldOutlivesMaximum),
        InReplica("a lock delay ignored", "lock delay", SeededBug.LockDelayIgnored),
        InReplica("deadlocks unseen", "rule 20", SeededBug.DeadlocksUnseen),
        InReplica("a lease not renewed", "leases", SeededBug.LeaseNotRenewed),
        InReplica("rest with something pending", "rule 24", SeededBug.RestsWithPending),
        new()
        {
            Name = "rest with a follower behind",
            Rule = "rule 24",
            Raft = SeededRaftBug.RestsWithFollowerBehind,
            Replica = SeededBug.RestsWithFollowerBehind,
        },
        InReplica("a rest that outlives the leader", "rule 24", SeededBug.SleepsOnWithoutLeader),
        InRaft("a quorum checked for the time asleep", "rule 24", SeededRaftBug.ChecksQuorumAtWaking),
        InStorage("a fence without the row lock", "rule 3", new() { FenceWithoutRowLock = true }),
        InStorage("a fence without the write's number", "rule 3", new() { FenceWithoutWriteSeq = true }),
        InStorage("an insert that lands without its update", "rule 3", new() { InsertsWithoutUpdate = true }),
        InStorage("re-activation that only looks", "rule 4", new() { ReactivationOnlyLooks = true }),
        InStorage("a database back in time unnoticed", "rule 4", new() { ReactivationIgnoresRollback = true }),
        InStorage("an emptied database that votes", "rule 1", new() { ActivationInserts = true }),
        InStorage("a vote forgotten by a restart", "Raft 5.2", new() { ForgetsVote = true }),
        InStorage("acknowledged before the write", "rule 5", new() { AcknowledgesEarly = true }),
        InStorage("an unknown outcome taken for success", "rule 7", new() { UnknownIsCommitted = true }),
        InStorage("a conflicting tail left in place", "rule 8", new() { KeepsConflictingTail = true }),
        new() { Name = "a peer that left switched off at once", Rule = "liveness", RetiresAtOnce = true },
        new() { Name = "answers to an earlier activation heard", Rule = "rule 5", ForgesAnswers = true },
        new() { Name = "a deadline from the answer", Rule = "rule 13", DeadlineFromAnswer = true },
        new() { Name = "a deadline not watched", Rule = "rule 13", IgnoresDeadline = true },
        new() { Name = "a sleep not noticed", Rule = "rule 13", TrustsMonotonicClock = true },
        new() { Name = "a repeat outside a session", Rule = "rule 15", RepeatsOutsideSession = true },
    ];

    private static PlantedBug InRaft(string name, string rule, SeededRaftBug bug) =>
        new() { Name = name, Rule = rule, Raft = bug };

    private static PlantedBug InReplica(string name, string rule, SeededBug bug) =>
        new() { Name = name, Rule = rule, Replica = bug };

    private static PlantedBug InStorage(string name, string rule, StoragePlants plants) =>
        new() { Name = name, Rule = rule, Storage = plants };
}
