using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>A group as one silo of a cluster knows it: its own peer, and what the others have told of theirs.</summary>
internal static class ClusterStatus
{
    private static readonly string[] Running = ["leader", "follower", "candidate", "learner"];

    /// <param name="local">Null: no peer runs here.</param>
    public static GroupStatus Of(int group, ReplicaStatus? local, OtherSilos others, string? notice)
    {
        GroupFact[] facts = [.. others.Ids.Select(others.FactOf).OfType<GroupFact>()];
        GroupFact? leader = facts.Where(fact => fact.PeerId == fact.LeaderPeerId).MaxBy(fact => fact.Term);
        bool isLocalLater = local is { Leader.IsNone: false } && local.Term.Value >= (leader?.Term ?? 0);
        return new GroupStatus(
            group,
            isLocalLater ? local!.Leader.Value : leader?.PeerId ?? 0,
            Math.Max(local?.Term.Value ?? 0, leader?.Term ?? 0),
            Math.Max(local?.CommitIndex ?? 0, leader?.CommitIndex ?? 0),
            local?.Revision ?? 0, local?.Sessions ?? 0, PeersOf(local, others, facts))
        {
            FailuresTolerated = local is null ? 0 : FailuresTolerated(local, others),
            Silos = others.Describe(),
            Notice = notice,
        };
    }

    public static int FailuresTolerated(ReplicaStatus local, OtherSilos others) => GroupDescriptions.FailuresTolerated(
        local.Membership,
        voter => voter == local.Peer
            ? local.Service == ServiceState.Running
            : others.FactOf(voter) is { } fact && Running.Contains(fact.State));

    private static PeerStatus[] PeersOf(ReplicaStatus? local, OtherSilos others, GroupFact[] facts)
    {
        if (local is null)
            return [.. facts.OrderBy(fact => fact.PeerId).Select(From)];
        return [.. local.Membership.Peers.Select(peer => Of(peer, local, others) with { Silo = peer.Silo })];
    }

    private static PeerStatus Of(PeerRecord peer, ReplicaStatus local, OtherSilos others)
    {
        if (peer.Id == local.Peer)
            return PeerStatus.From(local);
        return others.FactOf(peer.Id) is { } fact
            ? From(fact)
            : new PeerStatus(peer.Id.Value, "unknown", 0, 0, 0, 0, 0, 0, $"Silo {peer.Silo} tells nothing of it.");
    }

    private static PeerStatus From(GroupFact fact) => new(
        fact.PeerId, fact.State, fact.Epoch, fact.Term, fact.LastIndex, fact.CommitIndex, fact.AppliedIndex,
        fact.SnapshotIndex, fact.Detail.Length > 0 ? fact.Detail : null);
}
