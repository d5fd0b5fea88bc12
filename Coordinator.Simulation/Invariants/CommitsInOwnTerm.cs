using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// A leader moves its commit index only to entries of its own term; older ones are committed with them (Raft §5.4.2,
/// figure 8): an older term's entry on a quorum can still be overwritten.
/// </summary>
internal sealed class CommitsInOwnTerm : Invariant
{
    private readonly Dictionary<PeerProcess, (Term Term, long Commit)> _leaders = [];

    protected override string Name => "commits in the own term";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (!process.IsLeader)
        {
            _leaders.Remove(process);
            return;
        }
        RawNode raft = process.Machine!.Raft;
        bool led = _leaders.TryGetValue(process, out (Term Term, long Commit) before) && before.Term == raft.Term;
        _leaders[process] = (raft.Term, raft.CommitIndex);
        if (led && raft.CommitIndex > before.Commit)
        {
            Require(
                raft.TermAt(raft.CommitIndex) == raft.Term,
                () => $"the leader of term {raft.Term} commits {raft.CommitIndex}, an entry of term {raft.TermAt(raft.CommitIndex)}");
        }
    }
}
