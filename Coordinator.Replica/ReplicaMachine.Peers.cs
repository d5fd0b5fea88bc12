using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Replica;

/// <summary>
/// Changes of the group's peers. The state decides what a change makes of the membership, from the log alone; Raft's
/// configuration follows it. Invariant: both are the same between turns, unless a snapshot is being installed.
/// </summary>
public sealed partial class ReplicaMachine
{
    private readonly List<CommandTicket> _peerChanges = [];

    /// <summary>Of the last entry here that changed the membership.</summary>
    private long _membershipIndex;

    private void ProposePeerChanges()
    {
        if (_peerChanges.Count > 0 && IsWaitingToHearOthers())
            return;
        foreach (CommandTicket ticket in _peerChanges)
        {
            if (PeerChangeRefusal(ticket.Command.ChangePeers) is { } code)
            {
                Complete(ticket, new CommandResult { Error = code }, ErrorText.Of(code));
                continue;
            }
            ProposalResult result = _raft.ProposeConfChange(PeerChanges.ToConfChange(ticket.Command.ChangePeers, ticket.Payload));
            if (result == ProposalResult.Appended)
                Appended(ticket, _raft.LastIndex);
            else
                Refuse(ticket, CodeOf(result));
        }
        _peerChanges.Clear();
    }

    /// <summary>
    /// What only a leader can tell: who answers, and how far each has come. Whether the change fits the membership is
    /// decided where it is applied.
    /// </summary>
    private ErrorCode? PeerChangeRefusal(ChangePeers change)
    {
        foreach (PeerChange one in change.Changes)
        {
            if (one.ChangeCase == PeerChange.ChangeOneofCase.Promote && !HasCaughtUp(new PeerId(one.Promote)))
                return ErrorCode.PeerNotCaughtUp;
        }
        (GroupMembership? next, _, _) = PeerChanges.Apply(_state.Membership, change);
        return next is null || AnswersNow(next.ConfState.Voters) ? null : ErrorCode.QuorumAtRisk;
    }

    private bool HasCaughtUp(PeerId peer)
    {
        foreach (PeerProgress progress in _raft.GetStatus().Progress)
        {
            if (progress.Peer == peer)
                return !progress.IsLearner || progress.Match >= _raft.CommitIndex - _options.PromotionLagMax;
        }
        return true;
    }

    /// <summary>A voter that is to be added empty has nothing to answer with yet; then the others have to be enough.</summary>
    private bool AnswersNow(IReadOnlyList<PeerId> voters)
    {
        int answering = 0;
        foreach (PeerId voter in voters)
        {
            bool isHeard = _heardUs.TryGetValue(voter, out long heardUs) && _nowUs - heardUs <= _options.ElectionTimeoutUs;
            answering += voter == _key.Peer || isHeard ? 1 : 0;
        }
        return answering > voters.Count / 2;
    }

    private ApplyResult ApplyPeerChange(in Entry entry)
    {
        ConfChangeV2 change = entry.Type == EntryType.ConfChange
            ? ConfChange.Decode(entry.Data).ToV2()
            : ConfChangeV2.Decode(entry.Data);
        Command? command = change.Context.IsEmpty ? null : Command.Parser.ParseFrom(change.Context.Span);
        ApplyResult result = _state.Apply(entry.Index, entry.Term, entry.Stamp, command, change, _applied);
        if (_applied.PeersChanged)
        {
            _membershipIndex = entry.Index;
            _raft.ApplyConfChange(change);
            MembershipChanged();
        }
        return result;
    }

    /// <summary>By an entry or by a snapshot. A peer that is not listed has left, or is yet to join.</summary>
    private void MembershipChanged()
    {
        _sightings.Keep(_state.Membership);
        if (_state.Membership.Find(_key.Peer) is { } listed && listed.StorageId != _stored.StorageId)
            Halt(ServiceState.Quarantined, $"The stored storage id {_stored.StorageId} is not the replicated {listed.StorageId}.");
    }

    /// <summary>A leader's snapshot says which group it is of; which group this peer is of, its own database says (rule 1).</summary>
    private bool IsOfAnotherGroup(Snapshot snapshot)
    {
        GroupMembership theirs = CoordinationState.ReadMembership(snapshot.Data);
        return theirs.ClusterId != _state.Membership.ClusterId || theirs.Group != _state.Membership.Group;
    }
}
