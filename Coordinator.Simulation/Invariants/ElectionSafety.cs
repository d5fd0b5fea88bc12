using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>At most one leader is elected in a term (Raft §5.2), and it is one activation.</summary>
internal sealed class ElectionSafety : Invariant
{
    private readonly Dictionary<Term, (PeerId Peer, long Epoch)> _leaders = [];

    protected override string Name => "election safety";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (!process.IsLeader)
            return;
        Term term = process.Machine!.Raft.Term;
        (PeerId, long) leader = (process.Peer, process.Epoch);
        if (_leaders.TryAdd(term, leader))
            return;
        Require(_leaders[term] == leader, () => $"term {term} has leaders {_leaders[term]} and {leader}");
    }
}
