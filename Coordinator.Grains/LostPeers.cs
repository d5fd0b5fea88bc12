using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>
/// Which members are lost for good: their silo runs all that its database has, and they are not among it, or are
/// quarantined. And which of them is to be replaced by itself: one at a time, after it has been lost as long as the option
/// says. Of the leader's silo; another leader counts anew.
/// </summary>
internal sealed class LostPeers(SiloGroup group, TimeProvider time)
{
    /// <summary>What a silo tells of itself is older than what it has just done.</summary>
    private static readonly TimeSpan SeenMin = TimeSpan.FromSeconds(2);

    private readonly Dictionary<PeerId, long> _since = [];

    /// <summary>Whether any was lost at the last look.</summary>
    public bool Any => _since.Count > 0;

    /// <summary>At each look.</summary>
    public void Look(GroupMembership membership, GroupPicture picture)
    {
        PeerId[] lost = [.. membership.Peers.Where(peer => LooksLost(peer, picture)).Select(peer => peer.Id)];
        foreach (PeerId found in _since.Keys.Except(lost).ToArray())
            _since.Remove(found);
        foreach (PeerId peer in lost)
            _since.TryAdd(peer, time.GetTimestamp());
    }

    /// <summary>For certain, as of the last look.</summary>
    public bool IsLost(PeerId peer) => IsLostFor(peer, group.Others is null ? TimeSpan.Zero : SeenMin);

    /// <summary>Null: none, now.</summary>
    public PeerRecord? Next(GroupMembership membership, GroupPicture picture)
    {
        // Who learns to take a lost one's place comes first: one at a time.
        if (membership.ConfState.Learners.Any(
            learner => membership.Find(learner) is { } one && picture.FactOf(one)?.Purpose is not { StaysLearner: true }))
            return null;
        if ((group.Others is null ? TimeSpan.Zero : group.Options.ReplaceLostPeersAfter) is not { } after)
            return null;
        return membership.Peers
            .Where(peer => membership.ConfState.Voters.Contains(peer.Id) && IsLost(peer.Id) && IsLostFor(peer.Id, after))
            .OrderBy(peer => _since[peer.Id])
            .Select(peer => (PeerRecord?)peer)
            .FirstOrDefault();
    }

    private bool IsLostFor(PeerId peer, TimeSpan least) =>
        _since.TryGetValue(peer, out long since) && time.GetElapsedTime(since) >= least;

    private bool LooksLost(PeerRecord peer, GroupPicture picture)
    {
        if (picture.FactOf(peer) is { } fact)
            return fact.State == "quarantined";
        return peer.Silo == group.Options.SiloId || group.Others is null || group.Others.RunsAll(peer.Silo);
    }
}
