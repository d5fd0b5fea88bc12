using Coordinator.Raft.Log;

namespace Coordinator.Raft.Core;

/// <summary>What a follower does (Raft §5.3, §7).</summary>
internal sealed partial class RaftCore
{
    private void StepFollower(Message message)
    {
        switch (message.Type)
        {
            case MessageType.App:
                HeardLeader(message.From);
                HandleAppend(message);
                break;
            case MessageType.Heartbeat:
                HeardLeader(message.From);
                HandleHeartbeat(message);
                break;
            case MessageType.Snap:
                HeardLeader(message.From);
                HandleSnapshot(message);
                break;
            case MessageType.TransferLeader when !Leader.IsNone:
                Send(message with { To = Leader, Term = Term });
                break;
            case MessageType.ForgetLeader:
                ForgetLeader();
                break;
            case MessageType.TimeoutNow:
                // Never through a pre-vote: this is no return from a partition, and the round trip can be saved.
                Hup(CampaignKind.Transfer);
                break;
            case MessageType.ReadIndex when !Leader.IsNone:
                Send(message with { To = Leader, From = message.From.IsNone ? Id : message.From });
                break;
            case MessageType.ReadIndexResp:
                ReadStates.Add(new ReadState(message.Index, message.Context));
                break;
            default:
                break;
        }
    }

    private void HeardLeader(PeerId leader)
    {
        _election.Restart();
        Leader = leader;
    }

    private void ForgetLeader()
    {
        // With lease-based reads the leader relies on this follower not to vote within its lease.
        if (_options.ReadOnlyOption != ReadOnlyOption.LeaseBased)
        {
            Leader = PeerId.None;
        }
    }

    private void HandleAppend(Message append)
    {
        if (append.Index < Log.Committed)
        {
            // An old message: everything committed here is in the leader's log.
            SendAppendAnswer(append.From, Log.Committed);
            return;
        }

        if (Log.TryAppend(new LogPosition(append.Index, append.LogTerm), append.Entries, append.Commit))
        {
            SendAppendAnswer(append.From, append.Index + append.Entries.Count);
            return;
        }

        // The consistency check failed (Raft §5.3). The hint skips, a term at a time, what can't match.
        LogPosition hint = Log.FindPossibleMatch(Math.Min(append.Index, Log.LastIndex), append.LogTerm);
        _trace?.Invoke($"{Id} rejects entries after {append.LogTerm}/{append.Index} of {append.From}, hint {hint}");
        Send(new Message
        {
            Type = MessageType.AppResp,
            To = append.From,
            From = Id,
            Term = Term,
            Index = append.Index,
            Reject = true,
            RejectHint = hint.Index,
            LogTerm = hint.Term,
        });
    }

    private void HandleHeartbeat(Message heartbeat)
    {
        Log.CommitTo(heartbeat.Commit);
        Send(new Message
        {
            Type = MessageType.HeartbeatResp,
            To = heartbeat.From,
            From = Id,
            Term = Term,
            Context = heartbeat.Context,
        });
    }

    public void LearnCommitted(long index, Term term)
    {
        // Where index and term agree, so does everything before (Raft §5.3).
        if (State != RaftState.Leader && term > Term.Zero && Log.TryGetTerm(index, out Term own) && own == term)
        {
            Log.CommitTo(index);
        }
    }

    private void HandleSnapshot(Message message)
    {
        bool restored = message.Snapshot is { } snapshot && TryRestore(snapshot);
        SendAppendAnswer(message.From, restored ? Log.LastIndex : Log.Committed);
    }

    private void SendAppendAnswer(PeerId to, long index) =>
        Send(new Message { Type = MessageType.AppResp, To = to, From = Id, Term = Term, Index = index });

    /// <summary>Replaces log and configuration by a snapshot; false if it isn't needed or not for this peer.</summary>
    private bool TryRestore(Snapshot snapshot)
    {
        if (snapshot.Index <= Log.Committed)
        {
            return false;
        }

        if (!snapshot.ConfState.Contains(Id))
        {
            _trace?.Invoke($"{Id} ignores snapshot {snapshot.Index}: it isn't a member in it");
            return false;
        }

        if (Log.Matches(new LogPosition(snapshot.Index, snapshot.Term)))
        {
            // Log Matching (Raft §5.3): everything up to there is here already, and what follows is kept (§7).
            Log.CommitTo(snapshot.Index);
            return false;
        }

        Log.Restore(snapshot);
        _tracker = NewTracker();
        SwitchTo(Restored(snapshot.ConfState));
        _trace?.Invoke($"{Id} restores snapshot {snapshot.Term}/{snapshot.Index}, {_tracker.Configuration}");
        return true;
    }
}
