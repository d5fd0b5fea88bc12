using Coordinator.Raft.Tracker;

namespace Coordinator.Raft.Core;

/// <summary>What a leader makes of the answers (Raft §5.3).</summary>
internal sealed partial class RaftCore
{
    private void StepLeader(Message message)
    {
        if (message.Type == MessageType.Beat)
        {
            BroadcastHeartbeat();
        }
        else if (message.Type == MessageType.CheckQuorum)
        {
            CheckQuorum();
        }
        else if (message.Type == MessageType.ReadIndex)
        {
            HandleReadIndex(message);
        }
        else if (_tracker.Peers.TryFind(message.From, out Progress? progress))
        {
            StepLeader(message, progress);
        }
    }

    private void StepLeader(Message message, Progress progress)
    {
        switch (message.Type)
        {
            case MessageType.AppResp when message.Reject:
                progress.RecentActive = true;
                HandleRejection(message, progress);
                break;
            case MessageType.AppResp:
                progress.RecentActive = true;
                HandleAcknowledgement(message, progress);
                break;
            case MessageType.HeartbeatResp:
                HandleHeartbeatAnswer(message, progress);
                break;
            case MessageType.SnapStatus when progress.State == ProgressState.Snapshot:
                HandleSnapshotStatus(failed: message.Reject, progress);
                break;
            case MessageType.Unreachable when progress.State == ProgressState.Replicate:
                // What is in flight is likely lost: find out from where.
                progress.BecomeProbe();
                break;
            case MessageType.TransferLeader:
                HandleTransfer(message.From, progress);
                break;
            default:
                break;
        }
    }

    private void HandleRejection(Message rejection, Progress progress)
    {
        // The hint skips what the follower knows not to match; the own log may tell that more can't. Where the
        // follower's term at the hint is below the own, they differ, and so they do wherever the own is above it.
        long nextProbe = rejection.LogTerm > Term.Zero
            ? Log.FindPossibleMatch(rejection.RejectHint, rejection.LogTerm).Index
            : rejection.RejectHint;
        if (!progress.TryDecrease(rejection.Index, nextProbe))
        {
            return;
        }

        if (progress.State == ProgressState.Replicate)
        {
            progress.BecomeProbe();
        }

        SendAppend(rejection.From, progress);
    }

    private void HandleAcknowledgement(Message answer, Progress progress)
    {
        bool news = progress.TryUpdate(answer.Index);
        // A probing follower that confirms what is known already, as after it was unreachable, replicates again.
        if (!news && !(progress.State == ProgressState.Probe && progress.Match == answer.Index))
        {
            return;
        }

        AdvanceState(answer.Index, progress);
        bool isSelf = answer.From == Id;
        if (TryCommit())
        {
            ServeReadsAfterFirstCommit();
            BroadcastAppend();
        }
        else if (!isSelf && progress.CanBumpCommit(Log.Committed))
        {
            // Heartbeats tell the commit index too, only later.
            SendAppend(answer.From, progress);
        }

        while (!isSelf && TrySendAppend(answer.From, progress, evenIfEmpty: false))
        {
            // There may be room for several now.
        }

        if (answer.From == LeadTransferee && progress.Match == Log.LastIndex)
        {
            SendTimeoutNow(answer.From);
        }
    }

    private void AdvanceState(long index, Progress progress)
    {
        switch (progress.State)
        {
            case ProgressState.Probe:
                progress.BecomeReplicate();
                break;
            case ProgressState.Snapshot when progress.Match + 1 >= Log.FirstIndex:
                // Whichever snapshot brought it there, the log serves it from here on.
                progress.BecomeProbe();
                progress.BecomeReplicate();
                break;
            case ProgressState.Replicate:
                progress.Inflights.FreeThrough(index);
                break;
            default:
                break;
        }
    }

    private void HandleHeartbeatAnswer(Message answer, Progress progress)
    {
        progress.RecentActive = true;
        progress.FlowPaused = false;
        if (progress.Match < Log.LastIndex || progress.State == ProgressState.Probe)
        {
            SendAppend(answer.From, progress);
        }

        if (_options.ReadOnlyOption == ReadOnlyOption.Safe && !answer.Context.IsEmpty)
        {
            _reads.Acknowledge(answer.From, answer.Context.Span);
            AnswerConfirmedReads();
        }
    }

    private static void HandleSnapshotStatus(bool failed, Progress progress)
    {
        if (failed)
        {
            progress.AbortSnapshot();
        }

        progress.BecomeProbe();
        // Delivered: its acknowledgement comes next. Failed: try again after a heartbeat.
        progress.FlowPaused = true;
    }
}
