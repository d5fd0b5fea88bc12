using Coordinator.Contracts;
using Coordinator.Raft;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Storage;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// What is committed is durable on a quorum at that moment, what is answered is in the history, and at the end every
/// replica has all of it.
/// </summary>
internal sealed class CommittedNeverLost(CommittedLog log, Func<World> world) : Invariant
{
    protected override string Name => "committed never lost";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        World now = world();
        PeerId[] durable = [.. now.Peers.Where(peer => peer.IsLost || Holds(peer.Database.Find(peer.Key), entry)).Select(peer => peer.Id)];
        // What a leader commits together with a change of membership, the earlier membership's quorum has committed.
        Require(
            IsQuorum(now.Invariants.Membership.ConfState, durable) || IsQuorum(now.Invariants.EarlierMembership.ConfState, durable),
            () => $"entry {entry.Index} of term {entry.Entry.Term} was applied, and is durable on {string.Join(' ', durable)}");
    }

    public override void CommandAnswered(SimulatedClient client, Command command, CommandAnswer answer) =>
        Require(
            answer.Result.Error != ErrorCode.Ok || answer.Position.Index <= log.LastIndex,
            () => $"client {client.Number} was answered at {answer.Position.Index}, the history ends at {log.LastIndex}");

    public override void AtEnd(World world)
    {
        foreach (SimulatedPeer peer in world.Peers)
        {
            if (world.IsSound(peer) && peer.Newest?.Machine is { } machine)
                Require(machine.State.AppliedIndex == log.LastIndex, () => $"peer {peer.Id} has applied {machine.State.AppliedIndex} of {log.LastIndex}");
        }
    }

    private static bool IsQuorum(ConfState membership, PeerId[] peers) =>
        IsMajority(membership.Voters, peers) && (membership.VotersOutgoing.Count == 0 || IsMajority(membership.VotersOutgoing, peers));

    private static bool IsMajority(IReadOnlyList<PeerId> voters, PeerId[] peers) =>
        voters.Count(peers.Contains) > voters.Count / 2;

    private static bool Holds(SimulatedRow? row, CommittedEntry entry) => row is not null
        && (row.TermAt(entry.Index) == entry.Entry.Term || row.Pointer.Index >= entry.Index);
}
