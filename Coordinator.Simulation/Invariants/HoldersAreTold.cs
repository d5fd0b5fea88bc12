using Coordinator.Client.Machine;
using Coordinator.Contracts;
using Coordinator.Replica;
using Coordinator.Simulation.Clients;
using Coordinator.Simulation.Cluster;

namespace Coordinator.Simulation.Invariants;

/// <summary>
/// Who uses the library hears of a holding that ended against his will, and of a request to let go, if the session lives
/// on; and never of what was not so. Who observes a session is told at once, not when a progress mark is due.
/// </summary>
internal sealed class HoldersAreTold(HoldingLedger ledger) : Invariant
{
    protected override string Name => "holders are told";

    public override void AfterTurn(PeerProcess process, ReplicaEffects effects)
    {
        foreach ((WatchTicket ticket, WatchPage page) in effects.WatchesAnswered)
        {
            if (ticket.Watch.Session is not { } observed || page.Error != ErrorCode.Ok || page.Session is not null)
                continue;
            long notice = process.Machine!.State.Sessions.Find(observed.SessionId)?.NoticeIndex ?? long.MaxValue;
            Require(notice <= observed.SeenNotice, () => $"peer {process.Peer} has told nobody of session {observed.SessionId}'s notice {notice}");
        }
    }

    public override void HoldingLost(LibraryClient client, Holding holding) => Require(
        holding.Lifetime is not null || PartsOf(holding).Any(part => part is null),
        () => $"client {client.Number} is told that {Describe(holding)} is lost, and it holds it");

    public override void ReleaseAsked(LibraryClient client, Holding holding) => Require(
        PartsOf(holding).Any(part => part is null or { IsAsked: true }),
        () => $"client {client.Number} is asked to let go of {Describe(holding)}, and nobody has");

    public override string? Untold(World world)
    {
        foreach (LibraryClient client in world.Clients.OfType<LibraryClient>())
        {
            foreach (Holding holding in client.Holdings)
            {
                if (PartsOf(holding).Any(part => part is null))
                    return $"client {client.Number} is not told that {Describe(holding)} has ended";
                if (!holding.IsReleaseRequested && PartsOf(holding).Any(part => part!.IsAsked))
                    return $"client {client.Number} is not told that it is asked to let go of {Describe(holding)}";
            }
        }
        return null;
    }

    /// <summary>Null: it is not held any more.</summary>
    private IEnumerable<Claimed?> PartsOf(Holding holding) => holding.Request.Names.Select(name =>
        ledger.View(holding.Request.Kind, name).Holders.Find(held => held.SessionId == holding.Session.Id
            && held.Token == holding.Token && (!holding.Request.IsCounted || held.RequestId == holding.RequestId)));

    private static string Describe(Holding holding) =>
        $"{holding.Request.Kind} {string.Join(' ', holding.Request.Names)} with token {holding.Token} in session {holding.Session.Id}";
}
