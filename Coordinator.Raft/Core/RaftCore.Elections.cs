using Coordinator.Raft.Log;
using Coordinator.Raft.Quorum;

namespace Coordinator.Raft.Core;

/// <summary>Campaigns and votes (Raft §5.2, §5.4.1; thesis §9.6).</summary>
internal sealed partial class RaftCore
{
    private static readonly ReadOnlyMemory<byte> TransferContext = "transfer"u8.ToArray();

    private enum CampaignKind : byte
    {
        /// <summary>Ask first.</summary>
        PreElection,
        Election,

        /// <summary>The leader asked for it: the others needn't protect it.</summary>
        Transfer,
    }

    /// <summary>
    /// A voter, as far as it knows, that isn't waiting for a snapshot: with one under way its log has a hole.
    /// </summary>
    private bool IsPromotable =>
        _tracker.Peers.Find(Id) is { IsLearner: false } && Log.Unstable.Snapshot is null;

    private bool HoldsLease => _options.CheckQuorum && !Leader.IsNone && _election.WithinLease;

    private static bool IsTransfer(Message message) => message.Context.Span.SequenceEqual(TransferContext.Span);

    private void Hup(CampaignKind kind)
    {
        if (State == RaftState.Leader)
        {
            return;
        }

        if (!IsPromotable)
        {
            _trace?.Invoke($"{Id} can't campaign at term {Term}: it isn't a voter, or waits for a snapshot");
            return;
        }

        if (HasUnappliedConfChange())
        {
            // Its quorum could be that of a configuration that is no longer valid.
            _trace?.Invoke($"{Id} can't campaign at term {Term}: it has yet to apply a membership change");
            return;
        }

        Campaign(kind);
    }

    private void Campaign(CampaignKind kind)
    {
        bool pre = kind == CampaignKind.PreElection;
        if (pre)
        {
            BecomePreCandidate();
        }
        else
        {
            BecomeCandidate();
        }

        // A pre-candidate asks for the term that it would campaign in.
        Term term = pre ? Term.Next : Term;
        LogPosition last = Log.Last;
        foreach (PeerId id in _tracker.Configuration.Voters.Ids())
        {
            Send(id == Id
                // The own vote counts once it is durable, like every other.
                ? new Message { Type = VoteAnswer(pre), To = Id, From = Id, Term = term }
                : new Message
                {
                    Type = pre ? MessageType.PreVote : MessageType.Vote,
                    To = id,
                    From = Id,
                    Term = term,
                    Index = last.Index,
                    LogTerm = last.Term,
                    Context = kind == CampaignKind.Transfer ? TransferContext : default,
                });
        }
    }

    /// <summary>
    /// At most one vote a term, first come first served, and only for a log at least as up-to-date as the own
    /// (Raft §5.2, §5.4.1). A learner votes too: it may have been promoted and not know it yet, and the candidate may
    /// need it.
    /// </summary>
    private void AnswerVoteRequest(Message request)
    {
        bool pre = request.Type == MessageType.PreVote;
        bool canVote = Vote == request.From
            || (Vote.IsNone && Leader.IsNone)
            || (pre && request.Term > Term);
        bool isUpToDate = new LogPosition(request.Index, request.LogTerm).IsUpToDateWith(Log.Last);
        canVote |= _planted == SeededRaftBug.VotesTwice && State == RaftState.Follower;
        isUpToDate |= _planted == SeededRaftBug.VotesForShorterLog;
        if (!canVote || !isUpToDate)
        {
            Reject(request, VoteAnswer(pre));
            return;
        }

        // The request's term, not the own: after a pre-vote they differ, and the candidate ignores an older one.
        Send(new Message { Type = VoteAnswer(pre), To = request.From, From = Id, Term = request.Term });
        _trace?.Invoke($"{Id} grants {request.Type} to {request.From} at term {request.Term}");
        if (!pre)
        {
            _election.Restart();
            Vote = request.From;
        }
    }

    private void StepCandidate(Message message)
    {
        switch (message.Type)
        {
            case MessageType.App or MessageType.Heartbeat or MessageType.Snap:
                // The term is the own: its leader has been elected (Raft §5.2).
                BecomeFollower(message.Term, message.From);
                StepFollower(message);
                break;
            case MessageType.PreVoteResp or MessageType.VoteResp
                when message.Type == VoteAnswer(State == RaftState.PreCandidate):
                CountVote(message);
                break;
            default:
                break;
        }
    }

    private void CountVote(Message answer)
    {
        _tracker.RecordVote(answer.From, !answer.Reject);
        switch (_tracker.TallyVotes())
        {
            case VoteResult.Won when State == RaftState.PreCandidate:
                Campaign(CampaignKind.Election);
                break;
            case VoteResult.Won:
                BecomeLeader();
                BroadcastAppend();
                break;
            case VoteResult.Lost:
                // At the own term: the answers to a pre-vote carry one that nobody is in yet.
                BecomeFollower(Term, PeerId.None);
                break;
            default:
                break;
        }
    }

    private void Reject(Message request, MessageType answer)
    {
        _trace?.Invoke($"{Id} rejects {request.Type} of {request.From} at term {request.Term}; own term {Term}");
        Send(new Message { Type = answer, To = request.From, From = Id, Term = Term, Reject = true });
    }

    private static MessageType VoteAnswer(bool pre) => pre ? MessageType.PreVoteResp : MessageType.VoteResp;

    private bool HasUnappliedConfChange()
    {
        for (long from = Log.Applied + 1; from <= Log.Committed;)
        {
            EntrySlice page = Log.Slice(from, Log.Committed + 1, _options.MaxMessageBytes);
            foreach (ref readonly Entry entry in page.Span)
            {
                if (entry.Type != EntryType.Normal)
                {
                    return true;
                }
            }

            from += page.Count;
        }

        return false;
    }
}
