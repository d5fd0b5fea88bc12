using System.Diagnostics.CodeAnalysis;
using Coordinator.Contracts;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Looks after the peers: asks each other silo what is new there, one call for all of its peers, and makes those active that
/// are nowhere, which is what brings the peers of a dead silo back. Invariant: of idle groups nothing is asked and nothing is
/// told; they cost a look into memory.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore holds nothing unless its wait handle is used.")]
internal sealed partial class PeerLookout(
    OrleansGroups silo, PeerWhereabouts whereabouts, PeersHereClient others, ILogger<PeerLookout> log)
{
    /// <summary>A peer that is nowhere is begun by one of the silos, a different one for each; after this by any.</summary>
    private static readonly TimeSpan AnybodysTurn = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _beginning = new(OrleansGroups.LoadsMax);
    private readonly Dictionary<PeerKey, Task> _begun = [];
    private readonly Dictionary<SiloAddress, Task> _asked = [];
    private Dictionary<PeerKey, long> _nowhereSince = [];

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Look(stopping);
            }
            catch (Exception e)
            {
                // Orleans itself cannot say who lives now; the peers need somebody who goes on.
                OrleansLog.LookoutWaits(log, e);
            }
            await Task.Delay(silo.Options.LookInterval, silo.Time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await Task.WhenAll(_asked.Values.Concat(_begun.Values));
    }

    private void Look(CancellationToken stopping)
    {
        SiloAddress[] live = [.. whereabouts.Spots().Select(spot => spot.Silo)];
        SiloAddress[] elsewhere = [.. live.Where(other => !other.Equals(silo.Address))];
        silo.Elsewhere.Keep(elsewhere);
        RemoveEnded(_asked);
        foreach (SiloAddress other in elsewhere)
        {
            // One at a time: one that does not answer is waited for, and holds up nobody else.
            if (!_asked.ContainsKey(other))
                _asked[other] = AskAsync(other, stopping);
        }
        foreach (OrleansGroup group in silo.Groups)
            group.LookForLeader();
        if (silo.Elsewhere.Nowhere(elsewhere) is { } nowhere)
            Begin(nowhere, live, stopping);
    }

    private async Task AskAsync(SiloAddress other, CancellationToken stopping)
    {
        SiloFacts? told = null;
        try
        {
            byte[] answer = await others.AskAsync(other, silo.Elsewhere.VersionOf(other)).WaitAsync(stopping);
            told = SiloFacts.Parser.ParseFrom(answer);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            OrleansLog.SiloNotReached(log, other.ToString(), e.Message);
        }
        silo.Elsewhere.Told(other, told);
    }

    private void Begin(IReadOnlyList<PeerKey> nowhere, SiloAddress[] live, CancellationToken stopping)
    {
        RemoveEnded(_begun);
        int own = Array.IndexOf(live, silo.Address);
        // It stops, or is yet to become a member.
        if (own < 0)
            return;
        long now = silo.Time.GetTimestamp();
        _nowhereSince = nowhere.ToDictionary(key => key, key => _nowhereSince.GetValueOrDefault(key, now));
        foreach ((PeerKey key, long since) in _nowhereSince)
        {
            bool isOwnTurn = (key.Group + key.Peer.Value) % live.Length == own;
            if (!_begun.ContainsKey(key) && (isOwnTurn || silo.Time.GetElapsedTime(since, now) > AnybodysTurn))
                _begun[key] = BeginAsync(key, stopping);
        }
    }

    private async Task BeginAsync(PeerKey key, CancellationToken stopping)
    {
        try
        {
            await _beginning.WaitAsync(stopping);
            try
            {
                await silo.BeginAsync(key, stopping);
            }
            finally
            {
                _beginning.Release();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Another silo does it.
        }
    }

    private static void RemoveEnded<T>(Dictionary<T, Task> tasks)
        where T : notnull
    {
        foreach (T ended in tasks.Where(task => task.Value.IsCompleted).Select(task => task.Key).ToArray())
            tasks.Remove(ended);
    }
}
