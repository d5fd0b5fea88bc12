using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Each command that changes something takes one revision, and so does the end of a session with keys; nothing else does.
/// Each replica counts alike, and a result names the revision that its command made.
/// </summary>
internal sealed class RevisionsRiseByOne(CommittedLog log, ConfigLedger ledger) : Invariant
{
    protected override string Name => "revisions rise by one";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        long made = ledger.LastRevisionOfCommand;
        Require(
            made == 0 || entry.Result.Revision == made,
            () => $"entry {entry.Index} names revision {entry.Result.Revision}, it made {made}");
    }

    public override void Applied(PeerProcess process, CommittedEntry known, in Entry entry, in ApplyResult result, ulong hash) =>
        Check(process);

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects) => Check(process);

    private void Check(PeerProcess process)
    {
        CoordinationState state = process.Machine!.State;
        if (process.Owner.IsAltered || log.Find(state.AppliedIndex) is null)
            return;
        long revision = ledger.RevisionAt(state.AppliedIndex);
        Require(state.Revision == revision, () => $"peer {process.Peer} is at revision {state.Revision} after {state.AppliedIndex}, the log at {revision}");
    }
}
