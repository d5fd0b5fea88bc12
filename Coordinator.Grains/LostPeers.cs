using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains;

/// <summary>
/// Which members are lost for good: their place has nothing of them, or they are quarantined. And which of them is to be
/// replaced by itself: one at a time, after it has been lost as long as the option says. Of the leader's silo; another leader
/// counts anew.
/// </summary>
internal sealed class LostPeers(IPeerHost group, TimeProvider time)
{
    /// <summary>What a silo tells of itself is older than what it has just done.</summary>
    private static readonly TimeSpan SeenMin = TimeSpan.FromSeconds(2);

    private readonly Dictionary<PeerId, long> _since = [];

    /// <summary>Whether any was lost at the last look, or may have been.</summary>
    public bool Any { get; private set; }

    /// <summary>At each look.</summary>
    public async Task LookAsync(GroupMembership membership, GroupPicture picture, CancellationToken cancellationToken)
    {
        List<PeerId> lost = [];
        bool isUnsure = false;
        foreach (PeerRecord peer in membership.Peers)
        {
            bool? isLost = picture.FactOf(peer) is { } fact
                ? fact.State == "quarantined"
                : await group.IsGoneAsync(peer, cancellationToken);
            isUnsure |= isLost is null;
            if (isLost == true)
                lost.Add(peer.Id);
        }
        foreach (PeerId found in _since.Keys.Except(lost).ToArray())
            _since.Remove(found);
        foreach (PeerId peer in lost)
            _since.TryAdd(peer, time.GetTimestamp());
        Any = isUnsure || lost.Count > 0;
    }

    /// <summary>For certain, as of the last look.</summary>
    public bool IsLost(PeerId peer) => IsLostFor(peer, group.IsAlone ? TimeSpan.Zero : SeenMin);

    /// <summary>Null: none, now.</summary>
    public PeerRecord? Next(GroupMembership membership, GroupPicture picture)
    {
        // Who learns to take a lost one's place comes first: one at a time.
        if (membership.ConfState.Learners.Any(
            learner => membership.Find(learner) is { } one && picture.FactOf(one)?.Purpose is not { StaysLearner: true }))
            return null;
        if (group.ReplaceLostAfter is not { } after)
            return null;
        return membership.Peers
            .Where(peer => membership.ConfState.Voters.Contains(peer.Id) && IsLost(peer.Id) && IsLostFor(peer.Id, after))
            .OrderBy(peer => _since[peer.Id])
            .Select(peer => (PeerRecord?)peer)
            .FirstOrDefault();
    }

    private bool IsLostFor(PeerId peer, TimeSpan least) =>
        _since.TryGetValue(peer, out long since) && time.GetElapsedTime(since) >= least;
}
