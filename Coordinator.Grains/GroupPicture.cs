using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Google.Protobuf;

namespace Coordinator.Grains;

/// <summary>
/// What is known here of the group at one moment: of the peers here, and what the other silos have told of theirs.
/// Invariant: that a peer <see cref="HasLeft"/> is true for ever.
/// </summary>
internal sealed class GroupPicture
{
    /// <summary>A voter that is further behind, in entries, doesn't count as one that the group could go on with at once.</summary>
    internal const long LagMax = 10_000;

    private readonly GroupFact[] _facts;

    private GroupPicture(int group, GroupFact[] here, IEnumerable<GroupFact> elsewhere, ReplicaStatus? local)
    {
        GroupFact[] facts = [.. here, .. elsewhere];
        Group = group;
        _facts = facts;
        Here = here;
        Local = local;
        // Whoever has come furthest knows the latest membership.
        GroupFact? best = facts.Where(fact => fact.Members.Count > 0)
            .OrderByDescending(fact => (GroupFacts.Runs(fact), fact.AppliedIndex)).FirstOrDefault();
        Members = best is null ? [] : [.. best.Members];
        GroupFact? leader = facts.Where(GroupFacts.Leads).MaxBy(fact => fact.Term);
        bool isLocalLater = local is { Service: ServiceState.Running, Leader.IsNone: false }
            && local.Term.Value >= (leader?.Term ?? 0);
        Leader = isLocalLater ? local!.Leader : new PeerId(leader?.PeerId ?? 0);
        Term = Math.Max(local?.Term.Value ?? 0, leader?.Term ?? 0);
        CommitIndex = Math.Max(local?.CommitIndex ?? 0, leader?.CommitIndex ?? 0);
    }

    public int Group { get; }

    /// <summary>Of the peer here that knows most. Null: there is none.</summary>
    public ReplicaStatus? Local { get; }

    /// <summary>Empty: nobody that is heard knows them.</summary>
    public IReadOnlyList<MemberFact> Members { get; }

    /// <summary>None: nobody is known to lead.</summary>
    public PeerId Leader { get; }

    public long Term { get; }

    public long CommitIndex { get; }

    public IReadOnlyList<GroupFact> Facts => _facts;

    /// <summary>Of the peers here.</summary>
    public IReadOnlyList<GroupFact> Here { get; }

    public static GroupPicture Of(int group, IEnumerable<PeerLoop> peers, OtherSilos? others)
    {
        List<GroupFact> facts = [];
        List<ReplicaStatus> statuses = [];
        ReplicaStatus? local = null;
        foreach (PeerLoop peer in peers.OrderBy(peer => peer.Peer))
        {
            ReplicaStatus status = peer.Status;
            statuses.Add(status);
            facts.Add(GroupFacts.Of(group, peer, status));
            if (local is null || Rank(status).CompareTo(Rank(local)) > 0)
                local = status;
        }
        var picture = new GroupPicture(group, [.. facts], others?.Facts ?? [], local);
        // Of the same moment as the members that the leader's fact lists.
        if (SettledOf(statuses) is { } leader)
            facts[statuses.IndexOf(leader)].DeparturesKnown = picture.AreDeparturesKnown(leader);
        return picture;
    }

    /// <summary>Of peers here, the leader that <see cref="PeerHosts.SettledLeader"/> is; null: none.</summary>
    public static ReplicaStatus? SettledOf(IEnumerable<ReplicaStatus> statuses) => statuses
        .OrderByDescending(status => status.Term)
        .FirstOrDefault(status => status.IsReady && status.AppliedIndex >= status.CommitIndex);

    /// <summary>What is told of a member. Null: nothing.</summary>
    public GroupFact? FactOf(MemberFact member) =>
        _facts.FirstOrDefault(fact => fact.PeerId == member.PeerId && fact.StorageId == member.StorageId);

    public GroupFact? FactOf(PeerRecord member) => _facts.FirstOrDefault(fact =>
        fact.PeerId == member.Id.Value && fact.StorageId.Span.SequenceEqual(member.StorageId.ToByteArray()));

    /// <summary>
    /// Whether the peer was a member, or its id another's, and it is none now, with most of the voters knowing it: it never
    /// comes back (rule 1). A peer that is yet to be proposed has an id that is not used up.
    /// </summary>
    /// <param name="storageId">Null: whatever is stored under the id.</param>
    public bool HasLeft(PeerId peer, Guid? storageId)
    {
        ByteString? storage = storageId is { } id ? ByteString.CopyFrom(id.ToByteArray()) : null;
        return _facts.Any(fact => fact.DeparturesKnown && fact.NextPeerId > peer.Value
            && !fact.Members.Any(member => member.PeerId == peer.Value && (storage is null || member.StorageId == storage)));
    }

    /// <summary>Until then voters that restart may still need the vote of a peer that has left.</summary>
    private bool AreDeparturesKnown(ReplicaStatus leader)
    {
        GroupMembership membership = leader.Membership;
        return membership.ConfState.VotersOutgoing.Count == 0
            && membership.ConfState.Voters.Count(
                voter => membership.Find(voter) is { } one && FactOf(one)?.StoredCommitIndex >= leader.MembershipIndex)
                > membership.ConfState.Voters.Count / 2;
    }

    /// <summary>Whether the group goes on with these voters: most of them are reached, run and have caught up.</summary>
    public bool WouldServe(IReadOnlyCollection<PeerId> voters) =>
        Members.Count(member => voters.Contains(new PeerId(member.PeerId)) && HasCaughtUp(member)) > voters.Count / 2;

    /// <summary>A leader, and all members are heard of, run and have caught up, with no change of them open.</summary>
    public bool IsCalm => !Leader.IsNone && AllCaughtUp && !Members.Any(member => member.Outgoing);

    /// <summary>All members are known and heard of, run and have caught up.</summary>
    public bool AllCaughtUp => Members.Count > 0 && Members.All(HasCaughtUp);

    /// <summary>In a joint configuration both halves need a quorum: the one that is worse off counts.</summary>
    public (int Voters, int CaughtUp) Voters()
    {
        (int, int) coming = Half(member => member.Voter), going = Half(member => member.Outgoing);
        return going.Item1 > 0 && FailuresTolerated(going) < FailuresTolerated(coming) ? going : coming;
    }

    public static int FailuresTolerated((int Voters, int CaughtUp) half) =>
        Math.Max(0, half.CaughtUp - ((half.Voters / 2) + 1));

    /// <summary>Of two peers, who knows more.</summary>
    public static (bool, Term, long) Rank(ReplicaStatus status) =>
        (status.Service == ServiceState.Running, status.Term, status.AppliedIndex);

    private (int Voters, int CaughtUp) Half(Func<MemberFact, bool> votes)
    {
        MemberFact[] voters = [.. Members.Where(votes)];
        return (voters.Length, voters.Count(HasCaughtUp));
    }

    private bool HasCaughtUp(MemberFact member) => FactOf(member) is { } fact
        && GroupFacts.Runs(fact) && fact.LastIndex >= CommitIndex - LagMax;
}
