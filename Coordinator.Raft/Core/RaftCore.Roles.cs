using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Core;

/// <summary>Changes of role (Raft figure 4).</summary>
internal sealed partial class RaftCore
{
    private void BecomeFollower(Term term, PeerId leader)
    {
        Reset(term);
        Leader = leader;
        State = RaftState.Follower;
        _trace?.Invoke($"{Id} is a follower of {leader} at term {term}");
    }

    private void BecomePreCandidate()
    {
        Invariant.Require(State != RaftState.Leader, $"{Id} leads at term {Term} and can't become a pre-candidate");
        // Term and vote stay: nothing is promised yet.
        _tracker.ResetVotes();
        Leader = PeerId.None;
        State = RaftState.PreCandidate;
        _trace?.Invoke($"{Id} is a pre-candidate at term {Term}");
    }

    private void BecomeCandidate()
    {
        Invariant.Require(State != RaftState.Leader, $"{Id} leads at term {Term} and can't become a candidate");
        Reset(Term.Next);
        Vote = Id;
        State = RaftState.Candidate;
        _trace?.Invoke($"{Id} is a candidate at term {Term}");
    }

    private void BecomeLeader()
    {
        Invariant.Require(State == RaftState.Candidate, $"{Id} is {State} at term {Term} and can't become the leader");
        Reset(Term);
        Leader = Id;
        State = RaftState.Leader;
        Progress own = _tracker.Peers.Find(Id)!;
        own.BecomeReplicate();
        own.RecentActive = true;
        // There may be a membership change in the tail; looking for it could take long, waiting for all of it doesn't.
        _pendingConfIndex = Log.LastIndex;
        _trace?.Invoke($"{Id} leads at term {Term}");
        // An entry of its own term lets it commit those of earlier ones (Raft §5.4.2) and know the commit index (§8).
        AppendOwn(EntryType.Normal, data: default, stamp: 0);
        AcknowledgeOwnAppend();
    }

    private void Reset(Term term)
    {
        Invariant.Require(term >= Term, $"{Id} would go back from term {Term} to {term}");
        if (Term != term)
        {
            Term = term;
            Vote = PeerId.None;
        }

        Leader = PeerId.None;
        _election.Redraw();
        _heartbeatElapsed = 0;
        LeadTransferee = PeerId.None;
        _tracker.Reset(Id, Log.LastIndex);
        _pendingConfIndex = 0;
        _uncommitted.Reset();
        _reads.Clear();
        _readsBeforeFirstCommit.Clear();
    }
}
