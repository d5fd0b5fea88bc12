using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// What may still be read is decided by the log alone: after the same entry it is the same on every replica, and a
/// compaction by hand is refused only if it is done already or in the future (rule 22).
/// </summary>
internal sealed class CompactionAgrees(CommittedLog log, ConfigLedger ledger) : Invariant
{
    protected override string Name => "compaction agrees";

    public override void Configuring(CommittedEntry entry)
    {
        if (entry.Command!.CompactConfig is not { } compact)
            return;
        ErrorCode expected = compact.Revision > ledger.Revision ? ErrorCode.RevisionInFuture
            : compact.Revision <= ledger.Compacted ? ErrorCode.Compacted
            : ErrorCode.Ok;
        Require(entry.Result.Error == expected, () => $"entry {entry.Index} compacts to {compact.Revision}: {entry.Result.Error} instead of {expected}");
    }

    public override void Applied(PeerProcess process, CommittedEntry known, in Entry entry, in ApplyResult result, ulong hash) =>
        Check(process);

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects) => Check(process);

    private void Check(PeerProcess process)
    {
        CoordinationState state = process.Machine!.State;
        if (process.Owner.IsAltered || log.Find(state.AppliedIndex) is null)
            return;
        long kept = state.Config.History.CompactedRevision;
        long expected = ledger.CompactedAt(state.AppliedIndex);
        Require(kept == expected, () => $"peer {process.Peer} is compacted up to {kept} after {state.AppliedIndex}, by the log it is {expected}");
    }
}
