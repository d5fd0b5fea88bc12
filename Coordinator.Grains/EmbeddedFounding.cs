using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// How the embedded host comes to its peers: all of them, of all groups, in its one database, made by one transaction at the
/// first start (rule 1).
/// </summary>
internal static class EmbeddedFounding
{
    /// <exception cref="GroupStartException">
    /// The database is a cluster's silo's, or has another number of groups, or has one where one is to be restored.
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
            if (stored.Groups != options.Groups)
                throw GroupStartException.OtherGroups(stored.Groups, options.Groups, isStoredHere: true);
            int peersOfFirst = stored.Peers.Count(peer => peer.Key.Group == 0);
            if (peersOfFirst != options.Peers)
                HostLog.PeersDiffer(log, 0, peersOfFirst, options.Peers);
            return stored;
        }
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = GroupBootstrap.Create(
            options.Groups, options.Peers, options.SiloId, options.State, time.GetUtcNow(), options.Restore);
        await database.BootstrapAsync(
            clusterId, options.Groups, peers, cancellationToken, RestoredBootstrap.OrderOf(options.Restore)?.ToByteArray());
        HostLog.ClusterFounded(log, clusterId, options.Groups, peers.Count);
        foreach (SnapshotFile file in options.Restore?.Files ?? [])
            HostLog.Restored(log, file.Header.Group, file.Header.ClusterId, file.Header.Index, peers[0].SnapshotIndex);
        return await database.ReadClusterAsync(cancellationToken)
            ?? throw new GroupStartException("The cluster that was just bootstrapped is not there.");
    }
}
