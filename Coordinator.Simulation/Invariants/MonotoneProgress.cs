using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>Terms, commit indexes and applied indexes never go back: not in storage, not within an activation.</summary>
internal sealed class MonotoneProgress : Invariant
{
    private readonly Dictionary<PeerProcess, (long Epoch, Term Term, long Commit, long Applied)> _seen = [];

    protected override string Name => "monotone term, commit and applied";

    public override void Landing(SimulatedRow before, PeerWrite write)
    {
        HardState old = before.HardState;
        HardState now = write.HardState;
        Require(now.Term >= old.Term, () => $"peer {write.Key}: the stored term goes from {old.Term} to {now.Term}");
        Require(now.Commit >= old.Commit, () => $"peer {write.Key}: the stored commit index goes from {old.Commit} to {now.Commit}");
        Require(
            write.Snapshot is not { } snapshot || snapshot.Index > before.Pointer.Index,
            () => $"peer {write.Key}: snapshot {write.Snapshot!.Index} is switched in over {before.Pointer.Index}");
        bool cutsCommitted = !write.ReplaceLog && write.Entries.Count > 0 && write.Entries[0].Index <= old.Commit;
        Require(!cutsCommitted, () => $"peer {write.Key}: entries from {write.Entries[0].Index} replace what is committed up to {old.Commit}");
    }

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        ReplicaMachine machine = process.Machine!;
        RawNode raft = machine.Raft;
        var now = (process.Epoch, raft.Term, raft.CommitIndex, machine.State.AppliedIndex);
        if (_seen.TryGetValue(process, out (long Epoch, Term Term, long Commit, long Applied) before))
        {
            Require(now.AppliedIndex >= before.Applied, () => $"peer {process.Peer}: applied goes from {before.Applied} to {now.AppliedIndex}");
            bool isSame = before.Epoch == now.Epoch;
            Require(!isSame || now.Term >= before.Term, () => $"peer {process.Peer}: the term goes from {before.Term} to {now.Term}");
            Require(!isSame || now.CommitIndex >= before.Commit, () => $"peer {process.Peer}: commit goes from {before.Commit} to {now.CommitIndex}");
        }
        _seen[process] = now;
    }
}
