using Coordinator.Raft;

namespace Coordinator.Replica;

public sealed partial class ReplicaMachine
{
    private readonly FollowerWatch _watch;

    /// <summary>Once a tick, of a leader alone: a follower expects to hear little, and has an election for silence.</summary>
    private void Warn(long sinceLastTickUs)
    {
        if (!IsLeader)
            return;
        if (sinceLastTickUs * 10 > _options.ElectionTimeoutUs * 8)
            _effects.Warnings.Add(new ReplicaWarning.HeartbeatLate(sinceLastTickUs, _options.ElectionTimeoutUs));
        foreach (PeerId peer in _raft.Configuration.Voters.Ids())
            WarnOf(peer);
        foreach (PeerId peer in _raft.Configuration.Learners)
            WarnOf(peer);
    }

    private void WarnOf(PeerId peer)
    {
        if (peer == _key.Peer)
            return;
        long? heardUs = _heardUs.TryGetValue(peer, out long heard) ? heard : null;
        if (_watch.Check(peer, heardUs, _nowUs) is { } warning)
            _effects.Warnings.Add(warning);
    }
}
