using Coordinator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>How the embedded host comes to its peers: all of them in its one database, made at the first start (rule 1).</summary>
internal static class EmbeddedFounding
{
    /// <exception cref="GroupStartException">
    /// The database is a cluster's silo's, or has other groups, or has one where one is to be restored.
    /// </exception>
    public static async Task<StoredCluster> ReadOrBootstrapAsync(
        SiloGroupOptions options, PeerDatabase database, TimeProvider time, ILogger log,
        CancellationToken cancellationToken)
    {
        if (await database.ReadSiloAsync(cancellationToken) is { } silo)
        {
            throw new GroupStartException(
                $"The database is that of silo {silo.SiloId} of a cluster: start it with Coordinator:Host = Cluster.");
        }
        if (await database.ReadClusterAsync(cancellationToken) is { } stored)
        {
            if (options.Restore is not null)
            {
                throw new GroupStartException(
                    $"The database has cluster {stored.ClusterId} already: a snapshot is restored into an empty one. "
                    + "If that cluster is what an earlier start has restored, start without --restore.");
            }
            if (stored.Groups != 1)
            {
                throw new GroupStartException(
                    $"The database belongs to a cluster of {stored.Groups} groups; the embedded host runs one.");
            }
            if (stored.Peers.Count != options.Peers)
                HostLog.PeersDiffer(log, SiloGroup.Group, stored.Peers.Count, options.Peers);
            return stored;
        }
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = GroupBootstrap.Create(
            SiloGroup.Group, options.Peers, options.SiloId, options.State, time.GetUtcNow(), options.Restore);
        await database.BootstrapAsync(clusterId, 1, peers, cancellationToken);
        HostLog.Bootstrapped(log, SiloGroup.Group, clusterId, peers.Count);
        if (options.Restore is { File.Header: { } saved })
            HostLog.Restored(log, SiloGroup.Group, saved.ClusterId, saved.Index, peers[0].SnapshotIndex);
        return await database.ReadClusterAsync(cancellationToken)
            ?? throw new GroupStartException("The cluster that was just bootstrapped is not there.");
    }
}
