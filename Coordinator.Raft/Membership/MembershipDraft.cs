using Coordinator.Raft.Quorum;
using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Membership;

/// <summary>
/// A configuration while it is being changed, with the progress of its peers. A copy: nothing happens to the tracker
/// until the outcome is switched to.
/// </summary>
internal sealed class MembershipDraft(ProgressTracker tracker, long lastIndex)
{
    private MajorityConfig _incoming = tracker.Configuration.Voters.Incoming;
    private MajorityConfig _learners = tracker.Configuration.Learners;
    private MajorityConfig _learnersNext = tracker.Configuration.LearnersNext;

    public MajorityConfig Incoming => _incoming;

    public MajorityConfig Outgoing { get; private set; } = tracker.Configuration.Voters.Outgoing;

    public bool AutoLeave { get; set; } = tracker.Configuration.AutoLeave;

    public ProgressMap Peers { get; } = tracker.Peers.Clone();

    public Configuration ToConfiguration() => new()
    {
        Voters = new JointConfig(_incoming, Outgoing),
        Learners = _learners,
        LearnersNext = _learnersNext,
        AutoLeave = AutoLeave,
    };

    public void CopyIncomingToOutgoing() => Outgoing = _incoming;

    public void Apply(ConfChangeSingle change)
    {
        if (change.Peer.IsNone)
        {
            return;
        }

        switch (change.Type)
        {
            case ConfChangeType.AddNode:
                MakeVoter(change.Peer);
                break;
            case ConfChangeType.AddLearnerNode:
                MakeLearner(change.Peer);
                break;
            case ConfChangeType.RemoveNode:
                Remove(change.Peer);
                break;
            default:
                Invariant.Require(change.Type == ConfChangeType.UpdateNode, $"unknown change {change}");
                break;
        }
    }

    /// <summary>The outgoing half goes; staged learners become learners.</summary>
    public void LeaveJoint()
    {
        foreach (PeerId id in _learnersNext)
        {
            _learners = _learners.With(id);
            Peers.Find(id)!.IsLearner = true;
        }

        _learnersNext = MajorityConfig.Empty;
        foreach (PeerId id in Outgoing)
        {
            if (!_incoming.Contains(id) && !_learners.Contains(id))
            {
                Peers.Remove(id);
            }
        }

        Outgoing = MajorityConfig.Empty;
        AutoLeave = false;
    }

    private void MakeVoter(PeerId id)
    {
        if (Peers.TryFind(id, out Progress? progress))
        {
            progress.IsLearner = false;
            _learners = _learners.Without(id);
            _learnersNext = _learnersNext.Without(id);
        }
        else
        {
            Track(id, isLearner: false);
        }

        _incoming = _incoming.With(id);
    }

    private void MakeLearner(PeerId id)
    {
        if (!Peers.TryFind(id, out Progress? progress))
        {
            Track(id, isLearner: true);
            _learners = _learners.With(id);
            return;
        }

        if (progress.IsLearner)
        {
            return;
        }

        Remove(id);
        Peers.Set(id, progress);
        if (Outgoing.Contains(id))
        {
            // Still a voter there: a peer is never voter and learner at once.
            _learnersNext = _learnersNext.With(id);
        }
        else
        {
            progress.IsLearner = true;
            _learners = _learners.With(id);
        }
    }

    private void Remove(PeerId id)
    {
        if (!Peers.Contains(id))
        {
            return;
        }

        _incoming = _incoming.Without(id);
        _learners = _learners.Without(id);
        _learnersNext = _learnersNext.Without(id);
        if (!Outgoing.Contains(id))
        {
            Peers.Remove(id);
        }
    }

    private void Track(PeerId id, bool isLearner)
    {
        // Probed from the end of the log. Active from the start: otherwise a check for a quorum right now would count
        // it as gone before it had a chance to answer.
        Progress progress = tracker.NewProgress(match: 0, next: Math.Max(lastIndex, 1));
        progress.IsLearner = isLearner;
        progress.RecentActive = true;
        Peers.Set(id, progress);
    }
}
