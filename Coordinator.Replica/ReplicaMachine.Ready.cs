using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

public sealed partial class ReplicaMachine
{
    private readonly List<Message> _heldRequests = [];

    /// <summary>Oldest first; those answered long ago included.</summary>
    private readonly List<(PeerId To, long SinceUs)> _snapshotsSent = [];
    private readonly ApplyEffects _applied = new();
    private readonly List<CommandTicket> _takenCommands = [];

    /// <summary>Of the entry being applied: no longer among the open ones, and not answered yet.</summary>
    private CommandTicket? _applying;

    /// <summary>Takes all that Raft has to say until it has nothing more.</summary>
    private void DrainRaft()
    {
        // While it compares its storage it applies what is stored as committed; there is nothing else.
        while (Service is ServiceState.Running or ServiceState.Comparing && _raft.HasReady)
        {
            Ready ready = _raft.Ready();
            if (ready.SoftState is { } soft)
                RoleChanged(soft);
            foreach (ReadState read in ready.ReadStates)
            {
                if (IsOwnRound(read))
                    _reads.QuorumConfirmed(ReadRound.IdOf(read.Context.Span), read.Index);
            }
            foreach (Message message in ready.Messages)
                Dispatch(message);
            // After this Ready's own append: the term and the vote that a request names are in it (rule 5).
            foreach (Message request in _heldRequests)
            {
                if (_planted == SeededBug.RequestsVotesBeforeWrite)
                    _effects.Send.Add(Wrap(request));
                else
                    _writes.Add(new Release(Wrap(request), null));
            }
            _heldRequests.Clear();
            ReleaseWritten();
        }
    }

    private void Dispatch(Message message)
    {
        if (message.To == PeerId.LocalAppendThread)
        {
            if (message.Snapshot is { } unread && StopsAt(unread.Data))
                return;
            if (message.Snapshot is { } installing && IsOfAnotherGroup(installing))
            {
                Halt(ServiceState.Stopped, "The leader's snapshot is of another cluster or group: this silo is configured wrongly.");
                return;
            }
            _writes.Add(message, _nowUs);
            foreach (Message response in message.Responses)
                _writes.Add(IsOwn(response) ? new Release(null, response) : new Release(Wrap(response), null));
        }
        else if (message.To == PeerId.LocalApplyThread)
        {
            foreach (Entry entry in message.Entries)
                Apply(entry);
            if (Service is not (ServiceState.Running or ServiceState.Comparing))
                return;
            foreach (Message response in message.Responses)
                _raft.Step(response);
        }
        else if (message.Type is MessageType.Vote or MessageType.PreVote)
        {
            _heldRequests.Add(message);
        }
        else if (message.Type == MessageType.HeartbeatResp && !message.Context.IsEmpty
            && _planted != SeededBug.ReadsWithoutEpochRead)
        {
            // The leader learns at once that this peer lives; that it may read waits for the epoch (rule 6).
            _effects.Send.Add(Wrap(message with { Context = default }));
            _gate.Add(new GatedItem(Wrap(message), null));
        }
        else if (message.Type == MessageType.Heartbeat && LetsFollowersGo())
        {
            return;
        }
        else if (message.Type == MessageType.Heartbeat && message.Context.IsEmpty && _asksToRest)
        {
            _effects.Send.Add(Wrap(message) with { AtRest = true });
        }
        else if (message.Type == MessageType.ReadIndexResp)
        {
            // A quorum has confirmed this leader for a follower's read; its own part waits for its own epoch (rule 6).
            _gate.Add(new GatedItem(Wrap(message), null));
        }
        else
        {
            if (message.Type == MessageType.Snap)
                SnapshotSent(message.To);
            _effects.Send.Add(Wrap(message));
        }
    }

    private void SnapshotSent(PeerId to)
    {
        _snapshotsSent.RemoveAll(sent => sent.To == to);
        _snapshotsSent.Add((to, _nowUs));
    }

    /// <summary>
    /// A leader waits for the answer to a snapshot and sends nothing else meanwhile. The snapshot or its answer can be
    /// lost, and nobody reports that: after a while it tries again. For a follower that has answered this does nothing.
    /// </summary>
    private void ReportLostSnapshots()
    {
        while (_snapshotsSent.Count > 0 && _planted != SeededBug.SnapshotNeverSentAgain
            && _nowUs - _snapshotsSent[0].SinceUs >= _options.SnapshotTimeoutUs)
        {
            PeerId to = _snapshotsSent[0].To;
            _snapshotsSent.RemoveAt(0);
            _raft.ReportSnapshot(to, SnapshotStatus.Failed);
        }
        if (_snapshotsSent.Count == 0)
            _sendable = null;
    }

    /// <summary>The answer to a round of an earlier activation comes to nothing.</summary>
    private bool IsOwnRound(ReadState read) => ReadRound.EpochOf(read.Context.Span) == _stored.Epoch;

    private bool IsOwn(Message message) => message.To == _key.Peer || message.To.IsLocalThread;

    private Envelope Wrap(Message message) => new(
        _key.Group, _key.Peer, _stored.StorageId, _stored.Epoch, message.To, _activations.EpochOf(message.To), _report,
        message)
    {
        PromisedWriteSeq = _writes.PromisedWriteSeq,
        CommitIndex = _raft.CommitIndex,
        CommitTerm = _raft.TermAt(_raft.CommitIndex) ?? Term.Zero,
    };

    private void RoleChanged(SoftState soft)
    {
        _effects.LeadershipChanged = true;
        RestBeginsAnew();
        if (soft.State == RaftState.Leader)
        {
            if (!_clock.IsRunning)
                BecomeLeader();
            return;
        }
        _clock.Stop();
        if (_planted == SeededBug.LostCommandsSaidNotToHaveHappened)
        {
            _open.TakeAppended(_takenCommands);
            FailTaken(ErrorCode.NotLeader, "Planted.");
        }
        RefuseUnconfirmedReads();
    }

    private void BecomeLeader()
    {
        // Everyone who elected it has just answered.
        foreach (PeerId peer in _raft.Configuration.Voters.Ids())
            _heardUs[peer] = _nowUs;
        _clock.Start(_planted == SeededBug.ClockOfItsOwn ? Math.Max(HighestStampUs(), _nowUs) : HighestStampUs(), _nowUs);
        _proposedStampUs = 0;
        _groupProposal = 0;
        _appendTimes.Clear();
        _snapshotsSent.Clear();
        _watch.Reset();
        _open.DropNotIn((index, term) => _raft.TermAt(index) == term, _takenCommands);
        FailTaken(ErrorCode.OutcomeUnknown, "The leader changed; another peer may have the command and commit it yet.");
    }

    /// <summary>Of the whole own log, uncommitted entries and snapshot included (rule 10).</summary>
    private long HighestStampUs()
    {
        long highest = _state.LogTimeUs;
        foreach (Entry entry in UnappliedEntries())
            highest = Math.Max(highest, entry.Stamp);
        return highest;
    }

    /// <summary>Of the own log, written or not, above what the state has applied.</summary>
    private IEnumerable<Entry> UnappliedEntries()
    {
        for (long index = _state.AppliedIndex + 1; index <= _raft.LastIndex;)
        {
            EntrySlice entries = _raft.Entries(index, _raft.LastIndex + 1);
            for (int i = 0; i < entries.Count; i++)
                yield return entries[i];
            index += entries.Count;
        }
    }

    private void Apply(in Entry entry)
    {
        // After a re-activation Raft hands out again what the state, which stayed, has already applied.
        if (entry.Index <= _state.AppliedIndex || Service is not (ServiceState.Running or ServiceState.Comparing))
            return;
        _busyUs = _nowUs;
        CommandTicket? ticket = _applying = _open.Match(entry.Index, entry.Term, _takenCommands);
        FailTaken(ErrorCode.NotLeader, "The command was not replicated before the leader changed; it has not happened.");
        Command? command = entry.Type != EntryType.Normal || entry.Data.IsEmpty
            ? null
            : ticket?.Command ?? Command.Parser.ParseFrom(entry.Data.Span);
        if (command?.RaiseFeatureLevel is { } raise && raise.Level > _options.SupportedLevel)
        {
            TakeOut(ServiceState.Stopped, FeatureLevels.Unsupported(raise.Level, _options.SupportedLevel));
            return;
        }
        if (command is not null && _planted == SeededBug.LevelNotReplicated)
            command = FeatureLevels.AsReadAt(_options.SupportedLevel, command);
        // What it compacts is still told to those who stood in front of it.
        if (command?.CompactConfig is not null)
            ServeWatches();
        _applied.Clear();
        long revisionBefore = _state.Revision;
        ApplyResult result = entry.Type == EntryType.Normal ? ApplyCommand(entry, command, ticket) : ApplyPeerChange(entry);
        _appliedTerms.Applied(entry.Index, entry.Term);
        _snapshots.Applied(entry);
        Applied?.Invoke(entry, result, _applied);
        _watches.EntryApplied(_state, _applied, revisionBefore);
        foreach (WaitEnded ended in _applied.WaitsEnded)
            EndWait(ended.EntryIndex, ended.Result);
        _effects.SessionsEnded.AddRange(_applied.SessionsEnded);
        if (ticket is KeepAliveBatch batch)
            AnswerKeepAlives(batch);
        else if (ticket is not null)
            Settle(ticket, result);
        _applying = null;
        if (command?.CheckState is { } check && AppliedLevel >= FeatureLevels.StateHashInLog)
            CheckApplied(check, entry.Index);
    }

    private ApplyResult ApplyCommand(in Entry entry, Command? command, CommandTicket? ticket)
    {
        ApplyResult result = _state.Apply(entry.Index, entry.Term, entry.Stamp, command, _applied);
        // Raft puts an empty entry in the place of a membership change that it refuses.
        return command is null && ticket is not null
            ? new ApplyResult(new CommandResult { Error = ErrorCode.PeerChangeInProgress }, 0, ErrorText.Of(ErrorCode.PeerChangeInProgress))
            : result;
    }

    private void Settle(CommandTicket ticket, ApplyResult result)
    {
        if (result.WaitIndex == 0)
        {
            Complete(ticket, result.Result, result.Message);
            return;
        }
        _open.Wait(ticket, result.WaitIndex);
        _effects.Queued.Add((ticket, result.WaitIndex));
    }

    private void EndWait(long waitIndex, CommandResult result)
    {
        if (_open.WaitEnded(waitIndex) is not { } tickets)
            return;
        foreach (CommandTicket ticket in tickets)
            Complete(ticket, result);
    }

    private void Complete(CommandTicket ticket, CommandResult result, string? message = null)
    {
        if (ticket.IsCompleted)
            return;
        ticket.IsCompleted = true;
        var answer = new CommandAnswer { Position = GetPosition(), Result = result };
        if (message is not null)
            answer.Message = message;
        _effects.Completed.Add((ticket, answer));
    }

    private void FailTaken(ErrorCode code, string message)
    {
        foreach (CommandTicket ticket in _takenCommands)
        {
            if (ticket is KeepAliveBatch batch)
                FailKeepAlives(batch, code);
            else
                Complete(ticket, new CommandResult { Error = code }, message);
        }
        _takenCommands.Clear();
    }

    private Position GetPosition() => new()
    {
        Group = _key.Group,
        Term = _raft.Term.Value,
        Index = _state.AppliedIndex,
        Revision = _state.Revision,
    };
}
