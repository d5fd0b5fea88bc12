using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// Whether what is known here of a group has changed since the last time that somebody asked. Not thread-safe.
/// </summary>
internal sealed class GroupNews(SiloGroup group)
{
    private IReadOnlyList<PeerLoop> _peers = [];
    private ReplicaStatus[] _statuses = [];
    private long _version = -1;

    public bool Take()
    {
        // Read before what it counts: a change in between is news the next time.
        long version = group.Version;
        IReadOnlyList<PeerLoop> peers = group.Peers;
        bool any = version != _version || peers != _peers;
        if (peers != _peers)
            _statuses = [.. peers.Select(peer => peer.Status)];
        for (int i = 0; i < peers.Count; i++)
        {
            ReplicaStatus status = peers[i].Status;
            if (ReferenceEquals(status, _statuses[i]))
                continue;
            any |= status != _statuses[i];
            _statuses[i] = status;
        }
        (_peers, _version) = (peers, version);
        return any;
    }
}
