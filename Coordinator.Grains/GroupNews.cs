using Coordinator.Replica;

namespace Coordinator.Grains;

/// <summary>
/// Whether what is known here of a group has changed since the last time that somebody asked. Not thread-safe.
/// </summary>
/// <param name="here">The group's peers here: the same list as long as they are the same.</param>
/// <param name="version">Counts changes of what is known here, those within the peers apart.</param>
internal sealed class GroupNews(Func<IReadOnlyList<PeerLoop>> here, Func<long> version)
{
    private IReadOnlyList<PeerLoop> _peers = [];
    private ReplicaStatus[] _statuses = [];
    private long _version = -1;

    public GroupNews(IPeerHost group)
        : this(() => group.Peers, () => group.Version)
    {
    }

    public bool Take()
    {
        // Read before what it counts: a change in between is news the next time.
        long now = version();
        IReadOnlyList<PeerLoop> peers = here();
        bool any = now != _version || peers != _peers;
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
        (_peers, _version) = (peers, now);
        return any;
    }
}
