using Coordinator.Raft;

namespace Coordinator.Replica;

/// <summary>
/// Quiescence (rule 24). A leader of which nothing was asked for a while asks with its heartbeats whether the group may rest;
/// a follower that agrees says so and needs no ticks from then on; with all of them asleep the leader sleeps too. Invariants:
/// whoever sleeps has nothing pending, neither in the state nor in storage; a leader sleeps only after all have said that they
/// do; whatever comes but this talk wakes, and no time asleep counts as silence.
/// </summary>
public sealed partial class ReplicaMachine
{
    /// <summary>Of a leader: those that rest, by their last answer.</summary>
    private readonly HashSet<PeerId> _resting = [];

    /// <summary>To whom it has to be said that this one is awake. Facts from before the turn, so a turn that breaks sends them
    /// too: nobody else would wake those who sleep.</summary>
    private readonly List<Envelope> _calls = [];

    /// <summary>The leader's heartbeat that was the last thing to be heard in this turn; null: it asked for no rest.</summary>
    private Message? _restAsked;
    private bool _asksToRest;
    private long _busyUs;
    private long _wokenUs;
    private long _calledUs;

    /// <summary>Until the next input it needs no tick, and asks nothing of its storage.</summary>
    public bool IsQuiesced { get; private set; }

    /// <summary>Something is asked of this replica, or has happened to its group.</summary>
    private void Touch()
    {
        Wake();
        _busyUs = _nowUs;
        _asksToRest = false;
        _restAsked = null;
    }

    private void Wake(bool byLeader = false)
    {
        if (!IsQuiesced)
            return;
        IsQuiesced = false;
        _tickedUs = _wokenUs = _busyUs = _nowUs;
        _raft.Wake();
        _gate.Resume(_nowUs);
        // Asleep it asked nobody; it may have been fenced off long ago (rule 6).
        _epochCheckDue = true;
        if (_raft.IsLeader)
        {
            _clock.Resume(_nowUs);
            _watch.Reset();
            CallFollowers();
        }
        else if (!byLeader && !_raft.Leader.IsNone)
        {
            // A sleeping leader would be silent, and be taken for dead.
            CallLeader();
        }
    }

    /// <summary>
    /// A leader whose late message woke this one may have gone to sleep on its word. A voter would come to ask for votes; a
    /// learner says that it is awake. Once a tick.
    /// </summary>
    private void CallSilentLeader()
    {
        if (_options.QuiesceElections == 0 || _raft.Leader.IsNone || _raft.IsLeader
            || _nowUs - Math.Max(_heardUs.GetValueOrDefault(_raft.Leader), _calledUs) < _options.ElectionTimeoutUs
            || !_raft.Configuration.Learners.Contains(_key.Peer))
            return;
        _calledUs = _nowUs;
        CallLeader();
    }

    private void CallLeader() => _calls.Add(
        Wrap(new Message { Type = MessageType.HeartbeatResp, From = _key.Peer, To = _raft.Leader, Term = _raft.Term }));

    /// <summary>Any message wakes but those by which the group goes to rest.</summary>
    private void WakeFor(Envelope envelope)
    {
        Message message = envelope.Message;
        bool isTalk = message.Type is MessageType.Heartbeat or MessageType.HeartbeatResp && message.Context.IsEmpty
            && message.Term == _raft.Term;
        if (!isTalk)
            Touch();
        else if (!envelope.AtRest || (message.Type == MessageType.Heartbeat && !IsAsKnown(message)))
            Wake(byLeader: message.Type == MessageType.Heartbeat);
    }

    /// <summary>What a message of the own term says of rest.</summary>
    private void HearOfRest(Envelope envelope)
    {
        if (envelope.Message.Type == MessageType.HeartbeatResp)
        {
            if (envelope.AtRest)
                _resting.Add(envelope.From);
            else
                _resting.Remove(envelope.From);
        }
        else if (!_raft.IsLeader)
        {
            _restAsked = envelope.AtRest ? envelope.Message : null;
        }
    }

    private bool IsAsKnown(Message heartbeat) =>
        heartbeat.From == _raft.Leader && heartbeat.Term == _raft.Term && heartbeat.Commit == _raft.CommitIndex;

    /// <summary>Once a tick, before Raft's own, which makes the heartbeats.</summary>
    private void AskToRest()
    {
        bool mayAsk = _options.QuiesceElections > 0 && _raft.IsLeaderAtRest && IsIdle() && !HasToProposeForGroup()
            && _nowUs - _busyUs >= _options.QuiesceElections * _options.ElectionTimeoutUs;
        if (mayAsk && !_asksToRest)
            _resting.Clear();
        _asksToRest = mayAsk;
    }

    /// <summary>The last of a turn: this replica goes to sleep, or stays so.</summary>
    private void Rest()
    {
        if (IsQuiesced && !IsAtRest())
            Wake();
        else if (!IsQuiesced)
            IsQuiesced = IsAtRest() && (_asksToRest ? _raft.IsLeaderAtRest && AllRest() : Agrees());
        if (IsQuiesced && _restAsked is not null)
            TellRest();
        _restAsked = null;
    }

    private bool AllRest()
    {
        int answers = 1 + _resting.Count(_raft.Configuration.Contains);
        return _planted == SeededBug.RestsWithFollowerBehind
            ? answers > _state.Membership.Peers.Count / 2
            : answers == _state.Membership.Peers.Count;
    }

    /// <summary>
    /// Known for an election time-out: by then the shell has seen in a status who leads, and will tell of that one's death.
    /// </summary>
    private bool Agrees() => _options.QuiesceElections > 0 && !_raft.IsLeader && _restAsked is { } asked && IsAsKnown(asked)
        && _nowUs - _busyUs >= _options.ElectionTimeoutUs;

    private void TellRest()
    {
        for (int i = 0; i < _effects.Send.Count; i++)
        {
            Envelope envelope = _effects.Send[i];
            if (envelope.Message.Type == MessageType.HeartbeatResp && envelope.Message.Context.IsEmpty)
                _effects.Send[i] = envelope with { AtRest = true };
        }
    }

    /// <summary>Nothing to do, and nothing that the storage has yet to say.</summary>
    private bool IsAtRest() => IsIdle() && _gate.IsEmpty && !_gate.ReadInFlight && !_epochCheckDue;

    /// <summary>Nothing to do, now or at any time by itself. A look at the own epoch doesn't count.</summary>
    private bool IsIdle() => Service == ServiceState.Running
        && (_state.NextDueUs == long.MaxValue || _planted == SeededBug.RestsWithPending)
        && IsLogSettled() && NobodyWaits() && IsWitnessed();

    private bool IsLogSettled() => _raft.CommitIndex == _raft.LastIndex && _raft.AppliedIndex == _raft.LastIndex
        && _state.AppliedIndex == _raft.LastIndex && !_raft.HasReady
        && _writes.IsAtRest && _writes.StoredCommitIndex == _raft.CommitIndex && _snapshots.IsAtRest;

    private bool NobodyWaits() => _commands.Count + _peerChanges.Count + _keepAlives.Count + _behind.Count == 0
        && _open.IsEmpty && _reads.IsEmpty && _watches.OpenCount == 0;

    /// <summary>What it has seen of others is stored, what it has promised is in the file beside the silo.</summary>
    private bool IsWitnessed() => _sightings.UnstoredSinceUs is null && _successorEpoch <= _stored.Epoch && !_isRecording
        && (_comparison is null || _recorded == Mark());

    /// <summary>The role, the leader, or all of Raft is another.</summary>
    private void RestBeginsAnew()
    {
        Touch();
        _resting.Clear();
    }

    /// <summary>It ends its service: those who sleep would never notice.</summary>
    private void EndRest()
    {
        _calls.Clear();
        if (_raft.IsLeader && (IsQuiesced || _asksToRest || _resting.Count > 0))
            CallFollowers();
        IsQuiesced = false;
        _asksToRest = false;
        _resting.Clear();
    }

    private void CallFollowers()
    {
        foreach (PeerId peer in _raft.Configuration.Voters.Ids().Concat(_raft.Configuration.Learners))
        {
            if (peer != _key.Peer)
                _calls.Add(Wrap(new Message { Type = MessageType.Heartbeat, From = _key.Peer, To = peer, Term = _raft.Term }));
        }
    }

    private void CallOthers()
    {
        _effects.Send.AddRange(_calls);
        _calls.Clear();
    }

    /// <summary>It has just woken: who answers, and who doesn't, isn't known yet.</summary>
    private bool IsWaitingToHearOthers()
    {
        if (_wokenUs == 0 || _nowUs - _wokenUs >= _options.ElectionTimeoutUs)
            return false;
        foreach (PeerId peer in _raft.Configuration.Voters.Ids())
        {
            if (peer != _key.Peer && _heardUs.GetValueOrDefault(peer) < _wokenUs)
                return true;
        }
        return false;
    }
}
