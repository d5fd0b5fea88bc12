using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Moves peers away from a silo that has more than others, as after a silo has come back. Invariant: of a group one at a time,
/// only while all of its peers run, and its leader last.
/// </summary>
internal sealed class PeerBalancer(OrleansGroups silo, PeerWhereabouts whereabouts, ILogger<PeerBalancer> log)
{
    /// <summary>Groups of which a peer is moved at the same time.</summary>
    private const int MovesMax = 16;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private long _unevenSince;

    public async Task RunAsync(CancellationToken stopping)
    {
        using PeriodicTimer timer = new(LookInterval, silo.Time);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            try
            {
                await LookAsync(stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                // The directory can't be read now: whatever is uneven still is so later.
                OrleansLog.BalancingWaits(log, e.Message);
            }
        }
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        IReadOnlyList<PeerMove<SiloAddress>> moves = PeerSpread.Moves(
            silo.Address, whereabouts.Spots(), Placed(),
            peer => silo.Groups[peer.Group].Gateway.Leader()?.Peer == peer.Peer, MovesMax);
        if (moves.Count == 0)
        {
            _unevenSince = 0;
            return;
        }
        // A silo that has just come may be gone again: a peer that moves is missing for a moment.
        if (_unevenSince == 0)
            _unevenSince = silo.Time.GetTimestamp();
        if (silo.Time.GetElapsedTime(_unevenSince) >= silo.Options.BalanceDelay)
            await Task.WhenAll(moves.Select(move => MoveAsync(move, stopping)));
    }

    /// <summary>Of groups all of whose peers are somewhere.</summary>
    private Dictionary<PeerKey, SiloAddress> Placed() => silo.Elsewhere.Placed()
        .GroupBy(one => one.Key.Group).Where(group => group.Count() == silo.Places.PeersOf(group.Key).Count)
        .SelectMany(group => group).ToDictionary();

    private async Task MoveAsync(PeerMove<SiloAddress> move, CancellationToken stopping)
    {
        OrleansGroup group = silo.Groups[move.Peer.Group];
        if (!group.AllRun(out _))
            return;
        // What silos tell of themselves may be a moment old.
        IReadOnlyDictionary<PeerId, SiloAddress> placed = await whereabouts.ReadAsync(group.Group);
        if (placed.Count == silo.Places.PeersOf(group.Group).Count
            && placed.Values.Count(move.To.Equals) < placed.Values.Count(silo.Address.Equals))
            await group.MoveAwayAsync(move.Peer.Peer, move.To, stopping);
    }
}
