using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;

namespace Coordinator.Replica;

public sealed partial class ReplicaMachine
{
    private readonly List<Release> _released = [];
    private readonly List<GatedItem> _confirmed = [];
    private readonly SnapshotTaker _taker = new();

    /// <summary>The last one that was sent, until it has arrived or was lost.</summary>
    private Snapshot? _sendable;
    private bool _epochCheckDue;

    /// <summary>The latest activation of this very peer that another has heard; and as known when the read began.</summary>
    private long _successorEpoch;
    private long _successorAsked;

    /// <summary>The outcome of the write in flight. Anything but committed leaves its fate open (rule 4).</summary>
    public void WriteEnded(long epoch, WriteOutcome outcome)
    {
        if (Service != ServiceState.Running || epoch != _stored.Epoch)
            return;
        if (outcome != WriteOutcome.Committed)
        {
            Suspend($"A write ended as {outcome}.");
            return;
        }
        _gate.WriteConfirmed(_confirmed);
        ReleaseConfirmed();
        PreparedSnapshot? switched = _writes.Committed(_released);
        if (switched is not null)
            SnapshotSwitched(switched);
        Deliver();
        ReleaseWritten();
    }

    /// <summary>The own row's epoch as read by the last <see cref="ReplicaEffects.ReadEpoch"/>.</summary>
    /// <param name="asked">The activation that asked.</param>
    /// <param name="stored">Null: the row is missing.</param>
    public void EpochRead(long asked, long? stored)
    {
        if (Service != ServiceState.Running || asked != _stored.Epoch)
            return;
        if (stored == _stored.Epoch && _successorAsked <= _stored.Epoch)
        {
            _gate.ReadConfirmed(_confirmed);
            ReleaseConfirmed();
        }
        else if (stored > _stored.Epoch)
        {
            Halt(ServiceState.Stopped, $"Activation {stored} has taken over from {_stored.Epoch}: another silo uses this database. Stop one of them.");
        }
        else
        {
            Halt(ServiceState.Quarantined, stored is null
                ? "The peer's row is missing: it comes back only under a new peer id."
                : $"Epoch {stored} is stored, {Math.Max(_stored.Epoch, _successorAsked)} was activated: the database went back in time.");
        }
    }

    /// <summary>The epoch could not be read; whoever waits for it asks again.</summary>
    public void EpochUnavailable(long asked)
    {
        if (asked == _stored.Epoch)
            _gate.ReadFailed();
    }

    /// <summary>What became of writing a snapshot's chunks.</summary>
    public void SnapshotWritten(long epoch, long id, bool durable)
    {
        if (Service != ServiceState.Running || epoch != _stored.Epoch)
            return;
        if (!durable)
            _snapshots.Failed(id);
        else if (_snapshots.Written(id) is { } prepared)
            _writes.Prepare(prepared);
    }

    /// <summary>Activated again (rule 4): HardState and log as stored, the applied state stays.</summary>
    public void Reactivated(LoadedPeer loaded)
    {
        ArgumentNullException.ThrowIfNull(loaded);
        if (Service != ServiceState.Suspended)
            return;
        if (StopsAt(loaded.Snapshot.Data))
            return;
        if (loaded.Snapshot.Pointer.Index > _state.AppliedIndex)
            ReplaceState(CoordinationState.ReadSnapshot(loaded.Snapshot.Data));
        (_stored, _mirror, _raft, _writes, _snapshots) = Attach(loaded);
        Service = ServiceState.Running;
        Detail = null;
        _effects.LeadershipChanged = true;
        MembershipChanged();
    }

    private (LoadedPeer, MemoryStorage, RawNode, WritePipeline, SnapshotPlanner) Attach(LoadedPeer loaded)
    {
        long applied = AppliedInLog(loaded);
        HardState hardState = loaded.HardState with { Commit = Math.Max(loaded.HardState.Commit, applied) };
        ConfState confState = _state.Membership.ConfState;
        SnapshotPointer pointer = loaded.Snapshot.Pointer;
        // The state may have applied a membership change since: whoever is sent the snapshot applies that by itself.
        ConfState members = CoordinationState.ReadMembership(loaded.Snapshot.Data).ConfState;
        var snapshot = new Snapshot(pointer.Index, pointer.Term, members, default);
        var mirror = MemoryStorage.Load(hardState, confState, snapshot, loaded.Entries.ToArray());
        var raft = new RawNode(new RaftOptions
        {
            Id = _key.Peer,
            Storage = new ReplicaLog(mirror, SnapshotToSend),
            ElectionTicks = _options.ElectionTicks,
            HeartbeatTicks = _options.HeartbeatTicks,
            Applied = applied,
            AsyncStorageWrites = true,
            ApplyBeforeOwnWrite = true,
            MaxMessageBytes = _options.MessageBytesMax,
            MaxInflightMessages = _options.InflightMessagesMax,
            MaxInflightBytes = _options.InflightBytesMax,
            MaxUncommittedBytes = _options.UncommittedBytesMax,
            CheckQuorum = true,
            PreVote = true,
            ReadOnlyOption = ReadOnlyOption.Safe,
            DisableProposalForwarding = true,
            StepDownOnRemoval = true,
            Seed = unchecked(_options.Seed + (0x9E3779B97F4A7C15 * ++_activationCount)),
        });
        _gate.Reset(_nowUs);
        _heardUs.Clear();
        _epochCheckDue = false;
        var writes = new WritePipeline(loaded, mirror, _options);
        // The bytes are in the state and the mirror now; kept here they would be there twice.
        LoadedPeer stored = loaded with { Entries = [], Snapshot = loaded.Snapshot with { Data = default } };
        return (stored, mirror, raft, writes, new SnapshotPlanner(_options, pointer, loaded.Epoch, _state.AppliedIndex));
    }

    /// <summary>
    /// Others speak to a later activation of this peer, so this one is fenced off, or its database went back in time: the
    /// row says which. What is meant for the other is not for this log.
    /// </summary>
    private void HeardOfSuccessor(long epoch)
    {
        _epochCheckDue |= epoch > _successorEpoch;
        _successorEpoch = Math.Max(_successorEpoch, epoch);
    }

    /// <summary>
    /// How far the stored log is known to be what the state has applied. The state may be ahead of it, where the others
    /// committed an entry before the own write of it came through; and the log may still hold a tail that this write was
    /// to replace, which must not be taken for committed.
    /// </summary>
    private long AppliedInLog(LoadedPeer loaded)
    {
        long pointer = loaded.Snapshot.Pointer.Index;
        if (loaded.Entries.Count == 0)
            return pointer;
        long first = loaded.Entries[0].Index;
        long index = Math.Min(_state.AppliedIndex, loaded.Entries[^1].Index);
        // Where index and term agree, so does everything before (Raft §5.3); what is stored as committed is.
        while (index > Math.Max(pointer, loaded.HardState.Commit)
            && loaded.Entries[(int)(index - first)].Term != _appliedTerms.At(index)
            && _planted != SeededBug.StoredTailTakenForCommitted)
            index--;
        return Math.Max(index, pointer);
    }

    private void Suspend(string why)
    {
        Halt(ServiceState.Suspended, why);
        _effects.Reactivate = new ReactivationRequest(_stored.Epoch, _writes.AcknowledgedWriteSeq);
        _effects.Persist = null;
        _effects.WriteSnapshot = null;
    }

    private void BeginStorageWork()
    {
        if (Service != ServiceState.Running)
            return;
        PlanSnapshot();
        if (_writes.TryBegin(_nowUs) is { } write)
        {
            _gate.WriteBegins(_nowUs);
            _effects.Persist = write;
        }
        if ((_epochCheckDue || !_gate.IsEmpty) && !_gate.ReadInFlight)
        {
            _gate.ReadBegins(_nowUs);
            _epochCheckDue = false;
            _successorAsked = _successorEpoch;
            _effects.ReadEpoch = _stored.Epoch;
        }
    }

    private void PlanSnapshot()
    {
        if (_writes.Installing is { } install)
        {
            if (!_writes.IsInstallPrepared || _planted == SeededBug.InstallWrittenAgain)
                _effects.WriteSnapshot = _snapshots.TryBeginInstall(install);
            return;
        }
        // Not while the state is ahead of Raft: the log would be compacted beyond what Raft has yet to hand out.
        if (_snapshots.IsDue && _state.AppliedIndex <= _raft.AppliedIndex)
            _snapshots.Taken(_taker.Take(_state));
        _effects.WriteSnapshot = _snapshots.TryBeginOwn(_mirror);
    }

    /// <summary>
    /// Of what is applied. Only a leader sends one, and its log has all that is committed: what follows the snapshot is
    /// there to send. One that was lost on its way is sent again, if the log still goes on from it and no member has joined
    /// since: a follower that can't be reached must not cost a new one at each heartbeat.
    /// </summary>
    private Snapshot SnapshotToSend()
    {
        if (_sendable is null || _sendable.Index < _mirror.FirstIndex - 1 || _sendable.Index < _membershipIndex)
            _sendable = _taker.Take(_state);
        return _planted == SeededBug.SnapshotLacksMember
            ? _sendable with { ConfState = _mirror.Snapshot()!.ConfState }
            : _sendable;
    }

    private void SnapshotSwitched(PreparedSnapshot switched)
    {
        _effects.SnapshotInForce = switched.Pointer;
        if (switched.Snapshot.Index <= _state.AppliedIndex)
            return;
        ReplaceState(CoordinationState.ReadSnapshot(switched.Snapshot.Data));
        MembershipChanged();
    }

    /// <summary>What was decided between the old state and the new is not known entry by entry.</summary>
    private void ReplaceState(CoordinationState state)
    {
        _open.TakeAppended(_takenCommands);
        _open.TakeWaits(_takenCommands);
        FailTaken(ErrorCode.OutcomeUnknown, "This replica was brought up to date by a snapshot; ask again.");
        ServeWatches();
        long revisionBefore = _state.Revision;
        _state = state;
        JudgeParkedAgain(revisionBefore);
        _appliedTerms.Reset(state.AppliedIndex, state.AppliedTerm);
        _checks.Reset(state.AppliedIndex, _nowUs);
        _report = NewReport();
    }

    private void ReleaseWritten()
    {
        if (_writes.TryTakeReleases(_released))
            Deliver();
    }

    private void Deliver()
    {
        // A step may release more, so this list is taken first.
        Release[] releases = [.. _released];
        _released.Clear();
        foreach (Release release in releases)
        {
            if (release.Remote is { } envelope)
                _effects.Send.Add(envelope);
            else
                _raft.Step(release.Local!);
        }
    }

    private void ReleaseConfirmed()
    {
        foreach (GatedItem item in _confirmed)
        {
            if (item.Answer is { } envelope)
                _effects.Send.Add(envelope);
            else
                _reads.EpochConfirmed(item.Round!);
        }
        _confirmed.Clear();
    }
}
