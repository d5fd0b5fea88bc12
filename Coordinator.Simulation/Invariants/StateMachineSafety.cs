using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// No two replicas apply different entries at one index (Raft §5.4.3), nor come to different ends with the same one: the
/// rolling hash of the state agrees at every index, snapshots included (rule 9).
/// </summary>
internal sealed class StateMachineSafety(CommittedLog log) : Invariant
{
    protected override string Name => "state-machine safety";

    public override void Applied(PeerProcess process, CommittedEntry known, in Entry entry, in ApplyResult result, ulong hash)
    {
        // Until it is found it is wrong, and does not count.
        if (process.Owner.IsAltered)
            return;
        Entry applied = entry;
        bool isSame = known.Entry.Term == entry.Term && known.Entry.Type == entry.Type && known.Entry.Stamp == entry.Stamp
            && (known.Entry.Data.Equals(entry.Data) || known.Entry.Data.Span.SequenceEqual(entry.Data.Span));
        Require(isSame, () => $"peer {process.Peer} applies {applied.Index} of term {applied.Term}, others of term {known.Entry.Term}");
        known.Hash ??= hash;
        Require(known.Hash == hash, () => $"peer {process.Peer} came to another state at {applied.Index}");
    }

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        CoordinationState state = process.Machine!.State;
        if (!process.Owner.IsAltered && log.Find(state.AppliedIndex) is { } known)
            Require(known.Hash == state.Hash, () => $"peer {process.Peer} is in another state at {state.AppliedIndex}");
    }
}
