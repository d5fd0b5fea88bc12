using Coordinator.Raft;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Moves peers away from a silo that has several of a group while another has none, as after a silo has come back: one at
/// a time, only while all run, and the leader last.
/// </summary>
internal sealed class PeerBalancer(OrleansGroup group, PeerWhereabouts whereabouts, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private long _unevenSince;

    public async Task RunAsync(CancellationToken stopping)
    {
        using PeriodicTimer timer = new(LookInterval, time);
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
        if (group.LocalPeers < 2 || !group.AllRun(out PeerId leader))
        {
            _unevenSince = 0;
            return;
        }
        IReadOnlyDictionary<PeerId, SiloAddress> placed = await whereabouts.ReadAsync(OrleansGroup.Group);
        PeerId? move = placed.Count == whereabouts.Places.Peers.Count
            ? PeerSpread.ToMove(whereabouts.Own, whereabouts.Spots(), placed, leader)
            : null;
        if (move is null)
        {
            _unevenSince = 0;
            return;
        }
        // A silo that has just come may be gone again: a peer that moves is missing for a moment.
        if (_unevenSince == 0)
            _unevenSince = time.GetTimestamp();
        if (time.GetElapsedTime(_unevenSince) < group.Options.BalanceDelay)
            return;
        _unevenSince = 0;
        await group.MoveAwayAsync(move.Value, stopping);
    }
}
