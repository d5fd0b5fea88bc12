using Coordinator.Contracts;
using Coordinator.Raft;

namespace Coordinator.Replica.State;

/// <summary>
/// One form for each membership: every list in the order of ids, and a next peer id above all of them. Replicas may
/// arrive at a membership along different ways; their snapshots must have the same bytes.
/// </summary>
internal static class Memberships
{
    /// <exception cref="ArgumentException">It is no membership; the message says why.</exception>
    public static GroupMembership Canonical(GroupMembership membership)
    {
        PeerRecord[] peers = [.. membership.Peers];
        Array.Sort(peers, (x, y) => x.Id.CompareTo(y.Id));
        ConfState from = membership.ConfState;
        var confState = new ConfState
        {
            Voters = Sorted(from.Voters),
            Learners = Sorted(from.Learners),
            VotersOutgoing = Sorted(from.VotersOutgoing),
            LearnersNext = Sorted(from.LearnersNext),
            AutoLeave = from.AutoLeave,
        };
        PeerId highest = PeerId.None;
        for (int i = 0; i < peers.Length; i++)
        {
            if (i > 0 && peers[i].Id == peers[i - 1].Id)
                throw new ArgumentException($"Peer {peers[i].Id} is listed twice.", nameof(membership));
            if (ResourceName.LabelProblem(peers[i].Silo) is { } problem)
                throw new ArgumentException($"The silo of peer {peers[i].Id}: {problem}", nameof(membership));
            highest = Max(highest, peers[i].Id);
        }
        foreach (IReadOnlyList<PeerId> list in Lists(confState))
        {
            foreach (PeerId id in list)
                highest = Max(highest, id);
        }
        return membership with
        {
            Peers = peers,
            ConfState = confState,
            NextPeerId = Max(membership.NextPeerId, new PeerId(highest.Value + 1)),
        };
    }

    public static void AddTo(ref StateHash hash, GroupMembership membership)
    {
        hash.Add(membership.NextPeerId.Value);
        foreach (PeerRecord peer in membership.Peers)
        {
            hash.Add(peer.Id.Value);
            hash.Add(peer.StorageId.ToByteArray());
            hash.Add(peer.Silo);
        }
        foreach (IReadOnlyList<PeerId> list in Lists(membership.ConfState))
        {
            hash.Add((long)list.Count);
            foreach (PeerId id in list)
                hash.Add(id.Value);
        }
        hash.Add(membership.ConfState.AutoLeave ? 1L : 0L);
    }

    /// <summary>In the order in which snapshots keep them.</summary>
    public static IReadOnlyList<PeerId>[] Lists(ConfState confState) =>
        [confState.Voters, confState.Learners, confState.VotersOutgoing, confState.LearnersNext];

    private static PeerId[] Sorted(IReadOnlyList<PeerId> ids)
    {
        PeerId[] sorted = [.. ids];
        Array.Sort(sorted);
        for (int i = 0; i < sorted.Length; i++)
        {
            if (sorted[i] <= PeerId.None || (i > 0 && sorted[i] == sorted[i - 1]))
                throw new ArgumentException($"Peer {sorted[i]} is none, or listed twice.", nameof(ids));
        }
        return sorted;
    }

    private static PeerId Max(PeerId x, PeerId y) => x > y ? x : y;
}
