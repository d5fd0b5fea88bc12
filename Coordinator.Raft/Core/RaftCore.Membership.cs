using Coordinator.Raft.Membership;

namespace Coordinator.Raft.Core;

/// <summary>Changes of membership (Raft §6; thesis §4): one at a time, in effect when applied.</summary>
internal sealed partial class RaftCore
{
    // At or after the latest membership change that may be in the log and not applied. No other may be proposed until
    // that is applied: two under way could have quorums that don't meet.
    private long _pendingConfIndex;

    public ConfState ApplyConfChange(ConfChangeV2 change)
    {
        // A snapshot that waits to be written has brought a later configuration along: an entry that was handed out
        // before it came, and is applied only now, is part of that already.
        if (Log.Unstable.Snapshot is null)
        {
            SwitchTo(new MembershipChanger(_tracker, Log.LastIndex).Apply(change));
        }

        return _tracker.Configuration.ToConfState();
    }

    /// <summary>
    /// A change may enter the log: checked against the configuration in effect, which may not be the one that it will
    /// meet; so this is best effort, and with validation disabled the caller's own business.
    /// </summary>
    private bool AdmitsConfChange(in Entry entry)
    {
        if (!ConfChangeV2.TryDecode(entry.Data, out ConfChangeV2? change))
        {
            _trace?.Invoke($"{Id} refuses a membership change of {entry.Data.Length} bytes that isn't one");
            return false;
        }

        bool leaves = change.Changes.Count == 0;
        bool pending = _pendingConfIndex > Log.Applied;
        bool fits = leaves == _tracker.Configuration.IsJoint;
        if ((pending || !fits) && !_options.DisableConfChangeValidation)
        {
            _trace?.Invoke(
                $"{Id} refuses a membership change at {_tracker.Configuration}: "
                + (pending ? $"one up to {_pendingConfIndex} may be pending" : "not from this configuration"));
            return false;
        }

        _pendingConfIndex = Log.LastIndex + 1;
        return true;
    }

    private void LeaveJointByItself()
    {
        // The empty change has no size, so that no limit refuses it; a transfer under way does. Then this is tried
        // again with each entry applied, by this leader or by the next.
        Propose(EntryType.ConfChangeV2, data: default);
    }

    private void SwitchTo(MembershipOutcome outcome)
    {
        if (outcome is not MembershipOutcome.Changed changed)
        {
            throw new RaftInvariantException(
                $"{Id} can't apply a membership change to {_tracker.Configuration}: {outcome}");
        }

        _tracker.Switch(changed.Configuration, changed.Peers);
        _trace?.Invoke($"{Id} switches to {changed.Configuration}");
        if (State != RaftState.Leader)
        {
            return;
        }

        if (_tracker.Configuration.Voters.Contains(Id))
        {
            ServeNewQuorum();
        }
        else if (_options.StepDownOnRemoval)
        {
            BecomeFollower(Term, PeerId.None);
        }
    }

    private void ServeNewQuorum()
    {
        if (TryCommit())
        {
            // The new quorum has more in common than the old one had.
            BroadcastAppend();
        }
        else
        {
            for (int i = 0; i < _tracker.Peers.Count; i++)
            {
                // Whoever is new needn't wait for the next heartbeat.
                if (_tracker.Peers.IdAt(i) != Id)
                {
                    TrySendAppend(_tracker.Peers.IdAt(i), _tracker.Peers.At(i), evenIfEmpty: false);
                }
            }
        }

        if (!_tracker.Configuration.Voters.Contains(LeadTransferee))
        {
            LeadTransferee = PeerId.None;
        }
    }
}
