using Coordinator.Client;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// An operator beside the hostile clients, who may add and remove peers as they like: brings the group back to three
/// voters, so that what is measured at the end is what a group of three costs.
/// </summary>
internal sealed class GroupKeeper(CoordinatorClient client)
{
    private const int Voters = 3;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How many peers the others had added or removed.</summary>
    public int Repairs { get; private set; }

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await RepairAsync();
            await Task.Delay(LookInterval, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Ends when the group has three peers, all voters.</summary>
    public async Task RestoreAsync(TimeSpan patience)
    {
        using var hangs = new CancellationTokenSource(patience);
        while (!await RepairAsync())
            await Task.Delay(LookInterval, hangs.Token);
    }

    /// <returns>Whether there was nothing to do.</returns>
    private async Task<bool> RepairAsync()
    {
        try
        {
            IReadOnlyList<PeerInfo> peers = (await client.Cluster.DescribeAsync()).Peers;
            if (peers.Count == Voters && peers.All(peer => peer.IsVoter))
                return true;
            if (peers.Count < Voters)
                await client.Cluster.AddPeerAsync();
            else if (peers.Count > Voters)
                await client.Cluster.RemovePeerAsync(peers.OrderBy(peer => peer.IsVoter).ThenBy(peer => peer.PeerId).First().PeerId);
            Repairs++;
        }
        catch (Exception e) when (e is CoordinatorException or CoordinatorOutcomeUnknownException or CoordinatorTimeoutException)
        {
            // Another change is under way, or this one would cost the quorum now: the next look finds out.
        }
        return false;
    }
}
