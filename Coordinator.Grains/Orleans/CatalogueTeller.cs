using Coordinator.Replica.State;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// Tells the catalogue of the peers of each group that is led here. Invariant: what it has been told already is told again only
/// by another silo.
/// </summary>
internal sealed class CatalogueTeller(OrleansGroups silo, IGrainFactory grains, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly (GroupMembership?, int)[] _told = new (GroupMembership?, int)[silo.Groups.Count];

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                foreach (OrleansGroup group in silo.Groups)
                    await TellAsync(group, stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                OrleansLog.CatalogueWaits(log, e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(Interval, silo.Time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TellAsync(OrleansGroup group, CancellationToken stopping)
    {
        if (group.Gateway.Leader()?.Status is not { } leader || _told[group.Group] == (leader.Membership, leader.FeatureLevel))
            return;
        await grains.GetGrain<IGroupCatalogueGrain>(group.Group).TellAsync(CatalogueEntry.Of(leader)).WaitAsync(stopping);
        _told[group.Group] = (leader.Membership, leader.FeatureLevel);
    }
}
