using Coordinator.Contracts;
using Coordinator.Raft;
using Google.Protobuf;

namespace Coordinator.Replica;

public sealed partial class ReplicaMachine
{
    private readonly List<CommandTicket> _commands = [];
    private readonly List<KeepAliveTicket> _keepAlives = [];
    private readonly Queue<(long LastIndex, long SinceUs)> _appendTimes = new();
    private Proposal[] _proposals = new Proposal[256];
    private long _keepAlivesSinceUs;
    private long _proposedStampUs;

    /// <summary>A gathered entry and those who asked for it.</summary>
    private sealed class KeepAliveBatch(Command command, List<KeepAliveTicket> tickets)
        : CommandTicket(command, command.ToByteArray())
    {
        public List<KeepAliveTicket> Tickets { get; } = tickets;
    }

    private void ProposeGathered()
    {
        if (!IsLeader)
        {
            RefuseGathered();
            return;
        }
        while (_appendTimes.TryPeek(out var append) && append.LastIndex <= _raft.CommitIndex)
            _appendTimes.Dequeue();
        _clock.Advance(_nowUs, QuorumHeardUs(), _appendTimes.TryPeek(out var oldest) ? oldest.SinceUs : null);
        bool due = _state.NextDueUs <= _clock.ValueUs && _proposedStampUs < _state.NextDueUs;
        // Keep-alives that waited go before the first stamp that could end their sessions (rule 11).
        if (_keepAlives.Count > 0 && (due || _nowUs - _keepAlivesSinceUs >= _options.KeepAliveGatherUs))
            ProposeKeepAlives();
        if (_commands.Count > 0)
            ProposeCommands();
        else if (due)
            ProposeAdvanceTime();
        ProposePeerChanges();
    }

    private void ProposeKeepAlives()
    {
        var keepAlive = new KeepAlive { AsOfUs = _clock.ValueUs };
        foreach (KeepAliveTicket ticket in _keepAlives)
            keepAlive.SessionIds.Add(ticket.SessionId);
        var batch = new KeepAliveBatch(new Command { KeepAlive = keepAlive }, [.. _keepAlives])
        {
            DeadlineUs = _nowUs + _options.CommandTimeoutUs,
        };
        _keepAlives.Clear();
        ProposalResult result = _raft.Propose(batch.Payload);
        if (result == ProposalResult.Appended)
            Appended(batch, _raft.LastIndex);
        else
            FailKeepAlives(batch, CodeOf(result));
    }

    private void ProposeCommands()
    {
        int count = _commands.Count;
        if (_proposals.Length < count)
            _proposals = new Proposal[Math.Max(count, _proposals.Length * 2)];
        for (int i = 0; i < count; i++)
            _proposals[i] = new Proposal(_commands[i].Payload, _clock.ValueUs);
        bool tooSlow = _writes.UnwrittenBytes > _options.UnwrittenBytesMax;
        if (tooSlow)
            HandLeadershipOver();
        ProposalResult result = tooSlow
            ? ProposalResult.UncommittedLimit
            : _raft.Propose(_proposals.AsSpan(0, count));
        Array.Clear(_proposals, 0, count);
        if (result == ProposalResult.Appended)
        {
            long first = _raft.LastIndex - count + 1;
            for (int i = 0; i < count; i++)
                Appended(_commands[i], first + i);
            _proposedStampUs = _clock.ValueUs;
        }
        else
        {
            _commands.ForEach(ticket => Refuse(ticket, CodeOf(result)));
        }
        _commands.Clear();
    }

    /// <summary>To the voter whose log reaches furthest; Raft gives up by itself if that one does not take it.</summary>
    private void HandLeadershipOver()
    {
        if (!_raft.LeadTransferee.IsNone)
            return;
        PeerProgress best = default;
        foreach (PeerProgress progress in _raft.GetStatus().Progress)
        {
            if (progress.Peer != _key.Peer && !progress.IsLearner && progress.RecentActive && progress.Match > best.Match)
                best = progress;
        }
        if (!best.Peer.IsNone)
            _raft.TransferLeader(best.Peer);
    }

    /// <summary>Something is due and nothing else carries the time (rule 12).</summary>
    private void ProposeAdvanceTime()
    {
        byte[] payload = new Command { AdvanceTime = new AdvanceTime() }.ToByteArray();
        if (_raft.Propose(payload, _clock.ValueUs) != ProposalResult.Appended)
            return;
        _proposedStampUs = _clock.ValueUs;
        _appendTimes.Enqueue((_raft.LastIndex, _nowUs));
    }

    private void Appended(CommandTicket ticket, long index)
    {
        _open.Appended(ticket, index, _raft.Term);
        if (_planted == SeededBug.AnswersAtAppend && ticket.Command.OperationCase == Command.OperationOneofCase.PutConfig)
            Complete(ticket, new CommandResult { Outcome = Outcome.Done, Revision = _state.Revision + 1, Version = 1 });
        _appendTimes.Enqueue((index, _nowUs));
    }

    private void AnswerKeepAlives(KeepAliveBatch batch)
    {
        foreach (KeepAliveTicket ticket in batch.Tickets)
        {
            bool alive = _state.TryGetSessionTtl(ticket.SessionId, out long ttlUs);
            _effects.KeptAlive.Add((ticket, new KeepAliveAnswer
            {
                SessionId = ticket.SessionId,
                TtlUs = ttlUs,
                Error = alive ? ErrorCode.Ok : ErrorCode.SessionNotFound,
            }));
        }
    }

    private void FailKeepAlives(KeepAliveBatch batch, ErrorCode code)
    {
        foreach (KeepAliveTicket ticket in batch.Tickets)
            Refuse(ticket, code);
    }

    /// <summary>This replica does not lead, or does not run: nothing that was asked of it was proposed.</summary>
    private void RefuseGathered()
    {
        ErrorCode code = CodeOfEnded();
        _commands.AddRange(_peerChanges);
        _peerChanges.Clear();
        _commands.ForEach(ticket => Refuse(ticket, code));
        _commands.Clear();
        _keepAlives.ForEach(ticket => Refuse(ticket, code));
        _keepAlives.Clear();
    }

    private ErrorCode CodeOfEnded() =>
        Service == ServiceState.Quarantined ? ErrorCode.Quarantined : ErrorCode.NotLeader;

    private void AnswerOverdue()
    {
        _open.TakeOverdue(_nowUs, _takenCommands);
        FailTaken(ErrorCode.OutcomeUnknown, "No quorum decided the command in time; it may or may not happen.");
        _reads.TakeOverdue(_nowUs, _takenReads);
        _takenReads.ForEach(ticket => Refuse(ticket, ErrorCode.NoQuorum));
        _takenReads.Clear();
        ReadRounds.TakeOverdue(_behind, _nowUs, _takenReads);
        _takenReads.ForEach(ticket => Refuse(ticket, ErrorCode.ReplicaBehind));
        _takenReads.Clear();
    }

    private void Refuse(CommandTicket ticket, ErrorCode code) =>
        Complete(ticket, new CommandResult { Error = code }, RefusalText(code));

    private void Refuse(KeepAliveTicket ticket, ErrorCode code) =>
        _effects.KeptAlive.Add((ticket, new KeepAliveAnswer { SessionId = ticket.SessionId, Error = code }));

    private static ErrorCode CodeOf(ProposalResult result) =>
        result == ProposalResult.UncommittedLimit ? ErrorCode.Overloaded : ErrorCode.NotLeader;

    private static string RefusalText(ErrorCode code) => code switch
    {
        ErrorCode.Overloaded => "Too many proposals wait for a quorum; try again.",
        ErrorCode.Quarantined => "This replica's storage cannot be trusted; it takes no part.",
        ErrorCode.Stopping => "This replica has stopped.",
        ErrorCode.ReplicaBehind or ErrorCode.RolledBack or ErrorCode.TooManyWatches => ErrorText.Of(code),
        ErrorCode.NoQuorum => "No quorum confirmed the leader in time.",
        _ => "This replica does not lead the group.",
    };
}
