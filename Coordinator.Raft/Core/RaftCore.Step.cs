namespace Coordinator.Raft.Core;

/// <summary>
/// Every message goes through here: first its term is judged, then it is given to the role (Raft §5.1).
/// </summary>
internal sealed partial class RaftCore
{
    public StepResult Step(Message message)
    {
        // Term zero: a message of this peer to itself, or one that isn't bound to a term.
        if (message.Term != Term.Zero && message.Term != Term)
        {
            if (message.Term < Term)
            {
                AnswerLowerTerm(message);
                return StepResult.Accepted;
            }

            if (!TakeHigherTerm(message))
            {
                return StepResult.Accepted;
            }
        }

        switch (message.Type)
        {
            case MessageType.Hup:
                Hup(_options.PreVote ? CampaignKind.PreElection : CampaignKind.Election);
                return StepResult.Accepted;
            case MessageType.StorageAppendResp:
                EntriesWritten(message);
                return StepResult.Accepted;
            case MessageType.StorageApplyResp:
                EntriesApplied(message.Entries);
                return StepResult.Accepted;
            case MessageType.Vote or MessageType.PreVote:
                AnswerVoteRequest(message);
                return StepResult.Accepted;
            case MessageType.Prop when message.Entries.IsEmpty:
                return StepResult.ProposalDropped;
            case MessageType.Prop:
                return Propose(message) <= ProposalResult.Forwarded
                    ? StepResult.Accepted
                    : StepResult.ProposalDropped;
            default:
                StepRole(message);
                return StepResult.Accepted;
        }
    }

    private void StepRole(Message message)
    {
        switch (State)
        {
            case RaftState.Leader:
                StepLeader(message);
                break;
            case RaftState.Follower:
                StepFollower(message);
                break;
            default:
                StepCandidate(message);
                break;
        }
    }

    /// <summary>False: the message is ignored.</summary>
    private bool TakeHigherTerm(Message message)
    {
        if (message.Type is (MessageType.Vote or MessageType.PreVote) && !IsTransfer(message) && HoldsLease)
        {
            // Leader stickiness (Raft §6): whoever hears a leader doesn't help to depose it, or a peer that was
            // removed or cut off could disturb the group again and again.
            _trace?.Invoke($"{Id} ignores {message.Type} of {message.From} at {message.Term}: {Leader} leads");
            return false;
        }

        bool keepsTerm = message.Type == MessageType.PreVote
            || (message.Type == MessageType.PreVoteResp && !message.Reject);
        if (!keepsTerm)
        {
            bool fromLeader = message.Type is MessageType.App or MessageType.Heartbeat or MessageType.Snap;
            BecomeFollower(message.Term, fromLeader ? message.From : PeerId.None);
        }

        return true;
    }

    private void AnswerLowerTerm(Message message)
    {
        if ((_options.CheckQuorum || _options.PreVote) && message.Type is (MessageType.Heartbeat or MessageType.App))
        {
            // Either an old message, or this peer raised its term while cut off, and votes can't spread that term
            // (lease, pre-vote): the answer does, and so frees this peer.
            Send(new Message { Type = MessageType.AppResp, To = message.From, From = Id, Term = Term });
        }
        else if (message.Type == MessageType.PreVote)
        {
            // A candidate with a shorter log may sit at a lower term for ever if nobody tells it ours.
            Reject(message, MessageType.PreVoteResp);
        }
        else if (message.Type == MessageType.StorageAppendResp && message.Snapshot is { } snapshot)
        {
            // Its entries may have been replaced in a later term and aren't taken as written; a snapshot holds only
            // what is committed, and is valid in every term.
            SnapshotWritten(snapshot);
        }
    }

    private void Send(Message message) => Outbox.Send(message);
}
