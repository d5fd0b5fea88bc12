using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>A leader never overwrites or removes entries of its log, it only appends (Raft §5.3).</summary>
internal sealed class LeaderAppendOnly : Invariant
{
    private readonly Dictionary<(PeerProcess Process, Term Term), (long Index, Term Term)> _last = [];

    protected override string Name => "leader append-only";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (!process.IsLeader)
            return;
        RawNode raft = process.Machine!.Raft;
        (PeerProcess, Term) leader = (process, raft.Term);
        if (_last.TryGetValue(leader, out (long Index, Term Term) before))
        {
            Require(raft.LastIndex >= before.Index, () => $"the leader's log of term {raft.Term} went from {before.Index} to {raft.LastIndex}");
            Term? now = raft.TermAt(before.Index);
            Require(now is null || now == before.Term, () => $"the leader's entry {before.Index} was of term {before.Term} and is of {now}");
        }
        _last[leader] = (raft.LastIndex, raft.LastTerm);
    }
}
