using Coordinator.Raft.Log;

namespace Coordinator.Raft.Core;

/// <summary>What the own storage and the own state machine have done.</summary>
internal sealed partial class RaftCore
{
    private void EntriesWritten(Message answer)
    {
        if (answer.Index != 0)
        {
            Log.Unstable.StableTo(new LogPosition(answer.Index, answer.LogTerm));
        }

        if (answer.Snapshot is { } snapshot)
        {
            SnapshotWritten(snapshot);
        }
    }

    private void SnapshotWritten(Snapshot snapshot)
    {
        Log.Unstable.StableSnapshotTo(snapshot.Index);
        AppliedTo(snapshot.Index, bytes: 0);
    }

    private void EntriesApplied(EntrySlice entries)
    {
        if (!entries.IsEmpty)
        {
            AppliedTo(entries.Last.Index, EntrySize.Encoded(entries.Span));
            _uncommitted.Remove(EntrySize.Payload(entries.Span));
        }
    }

    private void AppliedTo(long index, long bytes)
    {
        long applied = Math.Max(index, Log.Applied);
        Log.AppliedTo(applied, bytes);
        if (_tracker.Configuration.AutoLeave && applied >= _pendingConfIndex && State == RaftState.Leader)
        {
            LeaveJointByItself();
        }
    }
}
