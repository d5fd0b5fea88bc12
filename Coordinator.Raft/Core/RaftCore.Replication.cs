using Coordinator.Raft.Log;
using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Core;

/// <summary>What a leader sends: entries, snapshots, heartbeats; and what it commits (Raft §5.3, §5.4.2, §7).</summary>
internal sealed partial class RaftCore
{
    /// <summary>Commits what is on a quorum, if it is of the own term.</summary>
    private bool TryCommit()
    {
        long index = _tracker.Committed();
        Term term = Term;
        if (_planted == SeededRaftBug.CommitsOlderTermByCounting && Log.TryGetTerm(index, out Term older))
        {
            term = older;
        }

        return Log.TryCommit(new LogPosition(index, term));
    }

    private void BroadcastAppend()
    {
        for (int i = 0; i < _tracker.Peers.Count; i++)
        {
            if (_tracker.Peers.IdAt(i) != Id)
            {
                SendAppend(_tracker.Peers.IdAt(i), _tracker.Peers.At(i));
            }
        }
    }

    private void SendAppend(PeerId to, Progress progress) => TrySendAppend(to, progress, evenIfEmpty: true);

    /// <summary>
    /// One append with as many entries as fit, or a snapshot if they are gone. An empty one still tells the commit
    /// index, and finds out where a follower is. False if nothing was sent.
    /// </summary>
    private bool TrySendAppend(PeerId to, Progress progress, bool evenIfEmpty)
    {
        if (progress.IsPaused)
        {
            return false;
        }

        long previous = progress.Next - 1;
        if (!Log.TryGetTerm(previous, out Term previousTerm))
        {
            return TrySendSnapshot(to, progress);
        }

        EntrySlice entries = EntrySlice.Empty;
        bool mayCarryEntries = progress.State != ProgressState.Replicate || !progress.Inflights.IsFull;
        // With everything in flight lost, only an empty append brings the follower back: its rejection frees them.
        bool available = !mayCarryEntries
            || Log.TryGetEntries(progress.Next, _options.MaxMessageBytes, out entries);
        if (entries.IsEmpty && !evenIfEmpty)
        {
            return false;
        }

        if (!available)
        {
            return TrySendSnapshot(to, progress);
        }

        Send(new Message
        {
            Type = MessageType.App,
            To = to,
            From = Id,
            Term = Term,
            Index = previous,
            LogTerm = previousTerm,
            Entries = entries,
            Commit = Log.Committed,
        });
        progress.SentAppend(entries.Count, EntrySize.Payload(entries.Span), Log.Committed);
        return true;
    }

    private bool TrySendSnapshot(PeerId to, Progress progress)
    {
        // A snapshot is large, and would be lost on a peer that doesn't answer, or isn't a member in it.
        if (!progress.RecentActive || Log.Snapshot() is not { } snapshot || !snapshot.ConfState.Contains(to))
        {
            return false;
        }

        _trace?.Invoke($"{Id} sends snapshot {snapshot.Term}/{snapshot.Index} to {to}");
        progress.BecomeSnapshot(snapshot.Index);
        Send(new Message { Type = MessageType.Snap, To = to, From = Id, Term = Term, Snapshot = snapshot });
        return true;
    }

    private void BroadcastHeartbeat()
    {
        ReadOnlyMemory<byte> context = _reads.HeartbeatContext();
        for (int i = 0; i < _tracker.Peers.Count; i++)
        {
            if (_tracker.Peers.IdAt(i) != Id)
            {
                SendHeartbeat(_tracker.Peers.IdAt(i), _tracker.Peers.At(i), context);
            }
        }
    }

    private void SendHeartbeat(PeerId to, Progress progress, ReadOnlyMemory<byte> context)
    {
        // Never beyond what is known to match: the follower may hold other entries there.
        long commit = _planted == SeededRaftBug.HeartbeatCommitUnchecked
            ? Log.Committed
            : Math.Min(progress.Match, Log.Committed);
        Send(new Message
        {
            Type = MessageType.Heartbeat,
            To = to,
            From = Id,
            Term = Term,
            Commit = commit,
            Context = context,
        });
        progress.SentCommit(commit);
    }
}
