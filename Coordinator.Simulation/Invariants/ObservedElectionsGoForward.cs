using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;
using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Whoever observes an election is never shown an older leader, or an older word of one, after a newer; begins with nothing
/// older than what anybody knew before; in the end is shown the present one;
/// and it is told of a change at once, not when a progress mark is due.
/// </summary>
internal sealed class ObservedElectionsGoForward(HoldingLedger holdings, Happenings happenings) : Invariant
{
    private readonly ElectionLedger _ledger = new(holdings);

    protected override string Name => "observed elections go forward";

    public override void Committed(PeerProcess process, CommittedEntry entry) => _ledger.Follow(entry.Index);

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        if (process.Owner.IsAltered)
            return;
        foreach ((WatchTicket ticket, WatchPage page) in effects.WatchesAnswered)
        {
            if (ticket.Watch.Election is not { } observed || page.Error != ErrorCode.Ok || page.Election is not null)
                continue;
            ElectionState now = _ledger.At(observed.Name, page.Position.Index);
            Require(now.Equals(observed.Seen), () => $"peer {process.Peer} has told nobody of {observed.Name} at {page.Position.Index}: {now}, and {observed.Seen} before");
        }
    }

    public override void LeaderTold(ElectionWatch watch, ElectionState state)
    {
        long? index = _ledger.FirstSince(watch.Election, watch.SeenIndex, state);
        Require(
            index is not null,
            () => $"client {watch.Client.Number} observes {watch.Election} and is shown {state} after {watch.Told} at {watch.SeenIndex}; it is {_ledger.Now(watch.Election)}");
        watch.SeenIndex = index!.Value;
        watch.Told = state;
        happenings.Count(Happening.LeaderObserved);
    }

    public override string? Untold(World world)
    {
        ElectionWatch? behind = world.Clients.OfType<LibraryClient>().SelectMany(client => client.Watches).OfType<ElectionWatch>()
            .FirstOrDefault(watch => !_ledger.Now(watch.Election).Equals(watch.Told));
        return behind is null ? null : $"client {behind.Client.Number} observes {behind.Election} and was shown {behind.Told}; it is {_ledger.Now(behind.Election)}";
    }
}
