using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>An entry committed in a term is in the logs of the leaders of all later terms (Raft §5.4).</summary>
internal sealed class LeaderCompleteness(CommittedLog log, Func<World> world) : Invariant
{
    private readonly HashSet<(PeerProcess, Term)> _checked = [];

    protected override string Name => "leader completeness";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (!process.IsLeader || !_checked.Add((process, process.Machine!.Raft.Term)))
            return;
        RawNode raft = process.Machine.Raft;
        // A vote can be counted so late that a later term has a leader, and commits, already.
        for (long index = log.LastIndex; log.Find(index) is { } entry; index--)
        {
            if (entry.AppliedInTerm >= raft.Term)
                continue;
            Check(process, raft, entry);
            return;
        }
    }

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        foreach (SimulatedPeer peer in world().Peers)
        {
            foreach (PeerProcess other in peer.Processes)
            {
                if (other.IsLeader && other.Machine!.Raft.Term > entry.AppliedInTerm)
                    Check(other, other.Machine.Raft, entry);
            }
        }
    }

    private void Check(PeerProcess process, RawNode raft, CommittedEntry entry)
    {
        Term? term = raft.TermAt(entry.Index);
        bool isCompacted = term is null && raft.LastIndex >= entry.Index;
        Require(
            isCompacted || term == entry.Entry.Term,
            () => $"the leader of term {raft.Term}, peer {process.Peer}, has {(term is null ? "nothing" : $"term {term}")} at {entry.Index}, committed in term {entry.Entry.Term}");
    }
}
