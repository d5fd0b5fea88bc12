using Coordinator.Contracts;
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
        List<SimulatedPeer> peers = world().Peers;
        int durable = 0;
        foreach (SimulatedPeer peer in peers)
        {
            if (peer.IsLost || Holds(peer.Database.Find(peer.Key), entry))
                durable++;
        }
        Require(durable > peers.Count / 2, () => $"entry {entry.Index} of term {entry.Entry.Term} was applied, and is durable on {durable} of {peers.Count}");
    }

    public override void CommandAnswered(SimulatedClient client, Command command, CommandAnswer answer) =>
        Require(
            answer.Result.Error != ErrorCode.Ok || answer.Position.Index <= log.LastIndex,
            () => $"client {client.Number} was answered at {answer.Position.Index}, the history ends at {log.LastIndex}");

    public override void AtEnd(World world)
    {
        foreach (SimulatedPeer peer in world.Peers)
        {
            if (peer is { IsLost: false, Newest.Machine: { } machine })
                Require(machine.State.AppliedIndex == log.LastIndex, () => $"peer {peer.Id} has applied {machine.State.AppliedIndex} of {log.LastIndex}");
        }
    }

    private static bool Holds(SimulatedRow? row, CommittedEntry entry) => row is not null
        && (row.TermAt(entry.Index) == entry.Entry.Term || row.Pointer.Index >= entry.Index);
}
