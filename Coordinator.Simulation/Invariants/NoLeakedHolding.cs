using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// An acquire that has ended without the lock never gets it afterwards, and whoever is told so holds and awaits nothing
/// (rule 16). Once all clients have gone, nothing is held.
/// </summary>
internal sealed class NoLeakedHolding(HoldingLedger ledger) : Invariant
{
    private readonly HashSet<(long Session, long Request)> _ended = [];

    protected override string Name => "no leaked holding";

    public override void ClaimEnded(Claimed claim)
    {
        if (claim.RequestId != 0)
            _ended.Add((claim.SessionId, claim.RequestId));
    }

    public override void Granting(long index, Claimed claim) => Require(
        !_ended.Contains((claim.SessionId, claim.RequestId)), () => $"entry {index} grants {claim}, which had ended");

    public override void CommandAnswered(SimulatedClient client, Command command, CommandAnswer answer)
    {
        long ended = command.OperationCase switch
        {
            Command.OperationOneofCase.AcquireLock when answer.Result.Outcome is Outcome.NotAcquired or Outcome.Cancelled => command.RequestId,
            Command.OperationOneofCase.CancelWait when answer.Result.Outcome is Outcome.Cancelled => command.CancelWait.RequestId,
            _ => 0,
        };
        if (ended == 0)
            return;
        Claimed? left = ledger.Held.Concat(ledger.Waiting).FirstOrDefault(
            claim => claim.SessionId == command.SessionId && claim.RequestId == ended);
        // Of an upgrade that was given back, the shared holding stays.
        Require(
            left is null or { IsUpgrade: true, IsHeld: true, IsShared: true },
            () => $"client {client.Number} was told that request {ended} has acquired nothing, and there is {left}");
    }

    public override void AtEnd(World world)
    {
        Claimed? left = ledger.Held.Concat(ledger.Waiting).FirstOrDefault();
        Require(left is null, () => $"when all clients have gone there still is {left}");
        foreach (SimulatedPeer peer in world.Peers)
        {
            if (world.IsSound(peer) && peer.Newest?.Machine is { } machine)
                Require(machine.State.SessionCount == 0, () => $"peer {peer.Id} still has {machine.State.SessionCount} sessions when all clients have gone");
        }
    }
}
