using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>Checks nothing: counts the branches that a run has been through.</summary>
internal sealed class BranchCounter(Happenings happenings)
{
    private readonly Dictionary<(PeerId To, long Index), Term> _snapshotsSent = [];
    private PeerId _leader;

    public void Sending(Envelope envelope)
    {
        if (envelope.Message is { Type: MessageType.Snap, Snapshot: { } snapshot })
            _snapshotsSent[(envelope.To, snapshot.Index)] = envelope.Message.Term;
    }

    public void Landing(SimulatedRow before, PeerWrite write)
    {
        if (write.Snapshot is not null)
            happenings.Count(write.ReplaceLog ? Happening.SnapshotInstalled : Happening.SnapshotTaken);
        if (write is { Snapshot: { } installed, ReplaceLog: true }
            && _snapshotsSent.TryGetValue((write.Key.Peer, installed.Index), out Term sent) && sent < write.HardState.Term)
            happenings.Count(Happening.SnapshotOutlivedItsLeader);
        if (write.CompactThrough > 0)
            happenings.Count(Happening.LogCompacted);
        if (!write.ReplaceLog && write.Entries.Count > 0 && write.Entries[0].Index <= before.LastIndex)
            happenings.Count(Happening.ConflictingTailRemoved);
    }

    public void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (!process.IsLeader)
        {
            happenings.Count(Happening.ReadByFollower, effects.Answered.Count(read => read is { Ticket.Query.Serializable: false, Answer.Error: ErrorCode.Ok }));
            return;
        }
        if (effects.Persist is { CompactThrough: > 0 and long compacted }
            && process.Machine!.Raft.GetStatus().Progress.Any(progress => progress.Match < compacted))
            happenings.Count(Happening.CompactedPastFollower);
        if (effects.Warnings.Exists(warning => warning is ReplicaWarning.StorageStalled)
            && effects.Send.Exists(envelope => envelope.Message.Type == MessageType.TimeoutNow))
            happenings.Count(Happening.StalledLeaderHandedOver);
        if (!effects.LeadershipChanged)
            return;
        happenings.Count(Happening.LeaderElected);
        if (!_leader.IsNone && _leader != process.Peer)
            happenings.Count(Happening.LeaderChanged);
        _leader = process.Peer;
    }

    public void Granting(Claimed claim)
    {
        if (claim.View.KeptOutUntilUs > 0)
            happenings.Count(Happening.LockDelayed);
        if (claim.Position > 0)
            happenings.Count(Happening.SeveralGranted);
        if (claim.IsUpgrade)
            happenings.Count(Happening.UpgradeGranted);
        else if (claim.IsShared)
            happenings.Count(Happening.SharedGranted);
        else if (claim.View.Kind != HoldingKind.Lock)
            happenings.Count(claim.View.Kind switch
            {
                HoldingKind.Semaphore => Happening.SemaphoreGranted,
                HoldingKind.Election => Happening.ElectionWon,
                _ => Happening.LeaseGranted,
            });
    }

    public void Ended(IEnumerable<HoldingEnded> holdings)
    {
        foreach (HoldingEnded ended in holdings)
        {
            if (ended.Reason != HoldingEndReason.Forced)
                happenings.Count(ended.Reason == HoldingEndReason.LeaseExpired ? Happening.LeaseExpired : Happening.MaxHoldPassed);
        }
    }

    public void Committed(CommittedEntry entry, HoldingLedger ledger)
    {
        foreach (EndedSession ended in entry.SessionsEnded)
            happenings.Count(ended.Reason == SessionEndReason.Expired ? Happening.SessionExpired : Happening.SessionClosed);
        foreach (WaitEnded ended in entry.WaitsEnded)
        {
            if (ended.Result.Outcome == Outcome.Granted)
                happenings.Count(Happening.GrantAfterWait);
            else if (ended.Result.Outcome == Outcome.NotAcquired)
                happenings.Count(Happening.WaitTimedOut);
        }
        if (entry.Command?.RaiseFeatureLevel is not null)
            happenings.Count(Happening.FeatureLevelRaised);
        if (entry.Command?.CheckState is { VerifiedIndex: > 0 })
            happenings.Count(Happening.StateVerified);
        if (entry.Command is not { } command || ledger.HasExecuted(command.SessionId, command.RequestId))
            return;
        if (command.OperationCase == Command.OperationOneofCase.CreateSession && entry.Result.SessionId == entry.Index)
            happenings.Count(Happening.SessionCreated);
        if (command.OperationCase != Command.OperationOneofCase.AcquireLock)
            return;
        if (entry.Result.Error == ErrorCode.DeadlockDetected)
            happenings.Count(Happening.DeadlockRefused);
        else if (entry.Result.Holds > 0)
            happenings.Count(Happening.Reentered);
        else if (entry.Result.Outcome == Outcome.Granted)
            happenings.Count(Happening.GrantAtOnce);
        else if (command.AcquireLock.WaitUs == 0)
            happenings.Count(Happening.TryRefused);
    }
}
