using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Quorums of successive memberships meet: they differ by one voter, or go through a joint configuration (Raft §6). A
/// peer id is used once (rule 1). Raft's configuration is the replicated one.
/// </summary>
internal sealed class MembershipChanges(GroupMembership first, Happenings happenings) : Invariant
{
    private readonly Dictionary<PeerId, Guid> _storages = first.Peers.ToDictionary(peer => peer.Id, peer => peer.StorageId);
    private GroupMembership _last = first;

    protected override string Name => "membership changes";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        if (entry.Membership is not { } now)
            return;
        ConfState from = _last.ConfState;
        ConfState to = now.ConfState;
        bool entersJoint = to.VotersOutgoing.Count > 0;
        bool meets = entersJoint ? from.VotersOutgoing.Count == 0 && to.VotersOutgoing.SequenceEqual(from.Voters)
            : from.VotersOutgoing.Count > 0 ? to.Voters.SequenceEqual(from.Voters)
            : from.Voters.Except(to.Voters).Count() + to.Voters.Except(from.Voters).Count() <= 1;
        Require(meets && to.Voters.Count > 0, () => $"entry {entry.Index} goes from {Say(from)} to {Say(to)}");
        foreach (PeerRecord peer in now.Peers)
        {
            if (_storages.TryAdd(peer.Id, peer.StorageId))
                Require(peer.Id >= _last.NextPeerId, () => $"entry {entry.Index} adds peer {peer.Id}, the next id was {_last.NextPeerId}");
            else
                Require(_storages[peer.Id] == peer.StorageId, () => $"entry {entry.Index} gives peer {peer.Id} another storage");
        }
        _last = now;
        // It has stepped down with this very entry; that it led, its vote for itself still says.
        if (process.Machine!.Raft.Vote == process.Peer && process.Machine.Raft.Term == entry.Entry.Term && !to.Contains(process.Peer))
            happenings.Count(Happening.LeaderLeft);
    }

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        ReplicaMachine machine = process.Machine!;
        if (machine.Service != ServiceState.Running || machine.IsInstalling)
            return;
        ConfState raft = machine.Raft.Configuration.ToConfState();
        Require(raft.Equals(machine.State.Membership.ConfState), () => $"peer {process.Peer}: Raft has {Say(raft)}, the state {Say(machine.State.Membership.ConfState)}");
    }

    private static string Say(ConfState state) =>
        $"({string.Join(' ', state.Voters)})&({string.Join(' ', state.VotersOutgoing)}) learners ({string.Join(' ', state.Learners)}) next ({string.Join(' ', state.LearnersNext)})";
}
