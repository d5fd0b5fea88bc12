using Coordinator.Contracts;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// An acquire that has ended without the lock never gets it afterwards, and whoever is told so holds and awaits nothing
/// (rule 16). Once all clients have gone, nothing is held.
/// </summary>
internal sealed class NoLeakedHolding(LockLedger ledger) : Invariant
{
    private readonly HashSet<(long Session, long Request)> _ended = [];

    protected override string Name => "no leaked holding";

    public override void Committed(PeerProcess process, CommittedEntry entry)
    {
        foreach (LockEvent change in entry.Locks)
        {
            if (change.Kind is LockEventKind.NotGranted or LockEventKind.Released && change.RequestId != 0)
                _ended.Add((change.SessionId, change.RequestId));
        }
    }

    public override void Granting(CommittedEntry entry, LockView view, LockClaim claim, long floor) => Require(
        !_ended.Contains((claim.SessionId, claim.RequestId)),
        () => $"entry {entry.Index} grants {view.Name} to request {claim.RequestId} of session {claim.SessionId}, which had ended");

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
        foreach ((string name, LockView view) in ledger.Locks)
        {
            Require(!Is(view.Holder), () => $"client {client.Number} was told that request {ended} has not acquired {name}, and it holds it");
            Require(!view.Waiting.Exists(Is), () => $"client {client.Number} was told that request {ended} has not acquired {name}, and it waits");
        }

        bool Is(LockClaim? claim) => claim is not null && claim.SessionId == command.SessionId && claim.RequestId == ended;
    }

    public override void AtEnd(World world)
    {
        foreach ((string name, LockView view) in ledger.Locks)
            Require(view.Holder is null && view.Waiting.Count == 0, () => $"{name} is still held or waited for when all clients have gone");
        foreach (SimulatedPeer peer in world.Peers)
        {
            if (world.IsSound(peer) && peer.Newest?.Machine is { } machine)
                Require(machine.State.SessionCount == 0, () => $"peer {peer.Id} still has {machine.State.SessionCount} sessions when all clients have gone");
        }
    }
}
