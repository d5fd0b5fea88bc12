using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Who rests has nothing that could become due, and asks nothing of its storage; when the leader rests, all members have
/// stored all that there is, and that it is committed (rule 24).
/// </summary>
internal sealed class RestIsEarned(Func<World> world) : Invariant
{
    protected override string Name => "rest is earned";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (process.Machine is not { IsQuiesced: true } machine)
            return;
        Require(
            machine.State.NextDueUs == long.MaxValue,
            () => $"peer {process.Peer}.{process.Epoch} rests at log time {machine.State.LogTimeUs}, and something is due at {machine.State.NextDueUs}");
        Require(
            effects is { Persist: null, ReadEpoch: null, WriteSnapshot: null, RecordWitness: null, Reactivate: null },
            () => $"peer {process.Peer}.{process.Epoch} rests, and waits for its storage");
        if (!machine.IsLeader)
            return;
        foreach (PeerRecord member in machine.State.Membership.Peers)
        {
            if (world().PeerOf(member.Id) is { IsLost: false } peer && peer.Database.Find(peer.Key) is { } row)
                RequireWhole(process, machine.Raft, row);
        }
    }

    private void RequireWhole(PeerProcess leader, RawNode raft, SimulatedRow row)
    {
        bool isCompacted = row.Pointer.Index > raft.LastIndex;
        Require(
            isCompacted || (row.TermAt(raft.LastIndex) == raft.LastTerm && row.HardState.Commit >= raft.CommitIndex),
            () => $"leader {leader.Peer}.{leader.Epoch} rests at {raft.LastIndex}, and peer {row.Key.Peer} has stored {row.LastIndex}, {row.HardState}");
    }
}
