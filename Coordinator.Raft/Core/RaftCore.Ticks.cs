namespace Coordinator.Raft.Core;

/// <summary>Time, in ticks.</summary>
internal sealed partial class RaftCore
{
    private int _heartbeatElapsed;

    public void Tick()
    {
        if (State == RaftState.Leader)
        {
            TickLeader();
        }
        else
        {
            TickOther();
        }
    }

    /// <summary>
    /// Time went by in which nobody was to say anything: it proves nothing, neither that the leader is gone nor that a
    /// quorum is there.
    /// </summary>
    public void Wake()
    {
        // What was heard before may be long ago: another leader may exist that this one has to hear of (Raft §6).
        ForgetAnswers();
        _heartbeatElapsed = _options.HeartbeatTicks;
        _election.Restart();
        if (_planted == SeededRaftBug.ChecksQuorumAtWaking && State == RaftState.Leader)
        {
            CheckQuorum();
        }
    }

    private void TickOther()
    {
        _election.Tick();
        if (IsPromotable && _election.IsExpired)
        {
            _election.Restart();
            Hup(_options.PreVote ? CampaignKind.PreElection : CampaignKind.Election);
        }
    }

    private void TickLeader()
    {
        _heartbeatElapsed++;
        _election.Tick();
        if (!_election.WithinLease)
        {
            _election.Restart();
            if (_options.CheckQuorum)
            {
                CheckQuorum();
            }

            // A transfer that takes longer has failed: go on leading (thesis §3.10).
            LeadTransferee = PeerId.None;
        }

        if (State == RaftState.Leader && _heartbeatElapsed >= _options.HeartbeatTicks)
        {
            _heartbeatElapsed = 0;
            BroadcastHeartbeat();
        }
    }

    /// <summary>A leader that no quorum answers can't serve; stepping down frees its clients (Raft §6).</summary>
    private void CheckQuorum()
    {
        if (!_tracker.QuorumActive())
        {
            _trace?.Invoke($"{Id} steps down at term {Term}: no quorum has answered for {_election.Timeout} ticks");
            BecomeFollower(Term, PeerId.None);
        }

        ForgetAnswers();
    }

    private void ForgetAnswers()
    {
        for (int i = 0; i < _tracker.Peers.Count; i++)
        {
            _tracker.Peers.At(i).RecentActive &= _tracker.Peers.IdAt(i) == Id;
        }
    }
}
