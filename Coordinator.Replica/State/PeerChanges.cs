using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>
/// What changing the group's peers does to its membership. Invariant: a peer id is used once for all time, and names one
/// storage (rule 1); a change that is refused, or is so already, leaves the membership as it was.
/// </summary>
internal static class PeerChanges
{
    /// <summary>The same change in Raft's words; several voters at once go through a joint configuration by themselves.</summary>
    public static ConfChangeV2 ToConfChange(ChangePeers change, ReadOnlyMemory<byte> context = default) => new()
    {
        Changes = [.. change.Changes.Select(ToSingle)],
        Context = context,
    };

    /// <summary>The membership after the change; null: it stays, and the result says why.</summary>
    public static (GroupMembership? Next, OperationResult Result, string? Message) Apply(
        GroupMembership membership, ChangePeers change)
    {
        bool isSo = true;
        PeerId next = membership.NextPeerId;
        var peers = new List<PeerRecord>(membership.Peers);
        foreach (PeerChange one in change.Changes)
        {
            if (IsSo(membership, one))
                continue;
            isSo = false;
            if (Problem(membership, one, next) is { } problem)
                return (null, OperationResult.Refused(problem.Code), problem.Message);
            if (one.Add is { } add)
            {
                peers.Add(new PeerRecord(new PeerId(add.PeerId), new Guid(add.StorageId.Span, bigEndian: true), add.Silo));
                next = new PeerId(add.PeerId + 1);
            }
        }
        if (isSo)
            return (null, Done, null);
        if (membership.ConfState.VotersOutgoing.Count > 0)
            return (null, OperationResult.Refused(ErrorCode.PeerChangeInProgress), null);
        if (membership.ConfState.TryApply(ToConfChange(change), out string? refusal) is not { } confState)
            return (null, OperationResult.Refused(ErrorCode.PeerChangeRefused), $"The change does not fit the present peers: {refusal}.");
        return (Listed(membership with { ConfState = confState, Peers = peers, NextPeerId = next }), Done, null);
    }

    /// <summary>A change of Raft's own: out of a joint configuration. Null: not from this membership.</summary>
    public static GroupMembership? Apply(GroupMembership membership, ConfChangeV2 change) =>
        membership.ConfState.TryApply(change, out _) is { } confState
            ? Listed(membership with { ConfState = confState })
            : null;

    private static readonly OperationResult Done = new(ErrorCode.Ok, Outcome.Done);

    /// <summary>Whoever has left is listed no longer; its id lies below the next one for ever.</summary>
    private static GroupMembership Listed(GroupMembership membership) => Memberships.Canonical(
        membership with { Peers = [.. membership.Peers.Where(peer => membership.ConfState.Contains(peer.Id))] });

    private static bool IsSo(GroupMembership membership, PeerChange change)
    {
        ConfState now = membership.ConfState;
        switch (change.ChangeCase)
        {
            case PeerChange.ChangeOneofCase.Add:
                var listed = new Guid(change.Add.StorageId.Span, bigEndian: true);
                return membership.Peers.Any(peer => peer.Id.Value == change.Add.PeerId && peer.StorageId == listed);
            case PeerChange.ChangeOneofCase.Promote:
                return now.Voters.Contains(new PeerId(change.Promote));
            case PeerChange.ChangeOneofCase.Demote:
                return now.Learners.Concat(now.LearnersNext).Contains(new PeerId(change.Demote));
            default:
                var removed = new PeerId(change.Remove);
                return removed < membership.NextPeerId && !now.Contains(removed);
        }
    }

    private static (ErrorCode Code, string? Message)? Problem(GroupMembership membership, PeerChange change, PeerId next) =>
        change.ChangeCase switch
        {
            PeerChange.ChangeOneofCase.Add when change.Add.PeerId < next.Value =>
                (ErrorCode.PeerChangeRefused, $"Peer id {change.Add.PeerId} was used before: the next one is {next}."),
            PeerChange.ChangeOneofCase.Add when membership.Peers.Any(
                peer => peer.StorageId == new Guid(change.Add.StorageId.Span, bigEndian: true)) =>
                (ErrorCode.PeerChangeRefused, "The storage id belongs to another peer."),
            PeerChange.ChangeOneofCase.Promote when !membership.ConfState.Learners.Contains(new PeerId(change.Promote)) =>
                (ErrorCode.PeerNotFound, $"Peer {change.Promote} is no learner of this group."),
            PeerChange.ChangeOneofCase.Demote when !membership.ConfState.Voters.Contains(new PeerId(change.Demote)) =>
                (ErrorCode.PeerNotFound, $"Peer {change.Demote} is no voter of this group."),
            PeerChange.ChangeOneofCase.Remove when !membership.ConfState.Contains(new PeerId(change.Remove)) =>
                (ErrorCode.PeerNotFound, $"Peer {change.Remove} was never in this group."),
            _ => null,
        };

    private static ConfChangeSingle ToSingle(PeerChange change) => change.ChangeCase switch
    {
        PeerChange.ChangeOneofCase.Add => new(
            change.Add.Voter ? ConfChangeType.AddNode : ConfChangeType.AddLearnerNode, new PeerId(change.Add.PeerId)),
        PeerChange.ChangeOneofCase.Promote => new(ConfChangeType.AddNode, new PeerId(change.Promote)),
        PeerChange.ChangeOneofCase.Demote => new(ConfChangeType.AddLearnerNode, new PeerId(change.Demote)),
        _ => new(ConfChangeType.RemoveNode, new PeerId(change.Remove)),
    };
}
