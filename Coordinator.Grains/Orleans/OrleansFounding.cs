using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Grains.Backup;
using Coordinator.Grains.Storage;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// How the databases come to their peers, of all groups (rule 1). Every silo may do it, several at once. Invariant: where all
/// share a database, one transaction founds the groups; otherwise the database whose name comes first decides by its row,
/// which is written once, only when all databases are reached and none knows of a cluster, and only over the storage ids
/// that were read then. A database that was emptied since has another one, and gets nothing.
/// </summary>
internal sealed class OrleansFounding(
    PeerDatabases databases, PeerPlaces places, OrleansGroupOptions options, OrleansRestore restore, TimeProvider time,
    ILogger log)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    /// <summary>Until the cluster is known.</summary>
    /// <exception cref="GroupStartException">
    /// What is stored is not this cluster, has another number of groups, or was made of something else than is to be restored.
    /// </exception>
    public async Task<Guid> SettleAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                Guid? settled = places.IsShared
                    ? await SettleSharedAsync(cancellationToken)
                    : await SettleApartAsync(cancellationToken);
                if (settled is { } clusterId)
                    return clusterId;
            }
            catch (Exception e) when (DatabaseConnections.IsFault(e) || e is AlreadyBootstrappedException)
            {
                // Another silo was first, or it may have been written all the same: what is stored is looked at again.
                OrleansLog.FoundingWaits(log, e.Message);
            }
            await Task.Delay(AskAgain, time, cancellationToken);
        }
    }

    /// <returns>Null: it waits for another silo, as it says.</returns>
    private async Task<Guid?> SettleSharedAsync(CancellationToken cancellationToken)
    {
        PeerDatabase database = await databases.OpenAsync(places.Names[0], cancellationToken);
        if (await database.ReadSiloAsync(cancellationToken) is { } silo)
            throw new GroupStartException($"The database is that of silo or place {silo.SiloId}: it is not shared by all peers.");
        if (await database.ReadClusterAsync(cancellationToken) is { } stored)
        {
            if (stored.Groups != options.Groups)
                throw GroupStartException.OtherGroups(stored.Groups, options.Groups, isStoredHere: true);
            int count = stored.Peers.Count(peer => peer.Key.Group == 0);
            if (count != places.Names.Count)
            {
                throw new GroupStartException(
                    $"Group 0 is stored with {count} peers, and {places.Names.Count} are configured: they count at the first start only.");
            }
            var cluster = new ClusterBootstrap
            {
                ClusterId = ByteString.CopyFrom(stored.ClusterId.ToByteArray()),
                Restore = await OrleansRestore.ReadAsync(database, cancellationToken),
            };
            return await restore.AgreesAsync(cluster, [database], lacking: [], cancellationToken) ? stored.ClusterId : null;
        }
        restore.SawNone();
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = GroupBootstrap.Create(
            options.Groups, [.. places.Names.Select(place => (place, new Guid(RandomNumberGenerator.GetBytes(16))))],
            options.State, time.GetUtcNow(), options.Restore);
        await database.BootstrapAsync(clusterId, options.Groups, peers, cancellationToken, restore.Order?.ToByteArray());
        TellFounded(clusterId, peers[0].SnapshotIndex);
        return clusterId;
    }

    /// <returns>As <see cref="SettleSharedAsync"/>.</returns>
    private async Task<Guid?> SettleApartAsync(CancellationToken cancellationToken)
    {
        var stored = new List<StoredSilo>();
        foreach (string place in places.Names)
            stored.Add(await ClaimAsync(place, cancellationToken));
        StoredSilo[] knowing = [.. stored.Where(one => one.Bootstrap is not null)];
        ClusterBootstrap bootstrap = knowing.Length > 0
            ? ClusterBootstrap.Parser.ParseFrom(knowing[0].Bootstrap)
            : await FoundAsync(stored, cancellationToken);
        var clusterId = new Guid(bootstrap.ClusterId.Span);
        if (knowing.Any(one => !ClusterBootstrap.Parser.ParseFrom(one.Bootstrap).ClusterId.Equals(bootstrap.ClusterId)))
            throw new GroupStartException("The configured databases belong to two different clusters.");
        if (GroupBootstrap.GroupsOf(bootstrap) is var groups && groups != options.Groups)
            throw GroupStartException.OtherGroups(groups, options.Groups, isStoredHere: true);
        StoredSilo[] without = [.. stored.Where(one => one.Bootstrap is null)];
        PeerDatabase[] with = await Task.WhenAll(stored.Where(one => one.Bootstrap is not null)
            .Select(one => databases.OpenAsync(one.SiloId, cancellationToken)));
        string[] lacking = [.. without.Where(one => GroupBootstrap.Lists(bootstrap, one)).Select(one => one.SiloId)];
        if (!await restore.AgreesAsync(bootstrap, with, lacking, cancellationToken))
            return null;
        foreach (StoredSilo place in without)
            await HandOnAsync(place, bootstrap, clusterId, cancellationToken);
        return clusterId;
    }

    private async Task<StoredSilo> ClaimAsync(string place, CancellationToken cancellationToken)
    {
        PeerDatabase database = await databases.OpenAsync(place, cancellationToken);
        StoredSilo claimed = await database.ClaimForSiloAsync(place, cancellationToken)
            ?? throw new GroupStartException($"Database {place} holds the cluster of an embedded host, or of peers that share it.");
        return claimed.SiloId == place
            ? claimed
            : throw new GroupStartException($"Database {place} is that of {claimed.SiloId}: correct the names of the databases.");
    }

    private async Task<ClusterBootstrap> FoundAsync(List<StoredSilo> stored, CancellationToken cancellationToken)
    {
        restore.SawNone();
        ClusterBootstrap bootstrap = Decide([.. stored.Select(place => (place.SiloId, place.StorageId))]);
        var clusterId = new Guid(bootstrap.ClusterId.Span);
        // The decision: whoever comes second is told that there is a cluster, and takes that one.
        await HandOnAsync(stored[0], bootstrap, clusterId, cancellationToken);
        stored[0] = stored[0] with { Bootstrap = bootstrap.ToByteArray() };
        TellFounded(clusterId, bootstrap.Index);
        return bootstrap;
    }

    private ClusterBootstrap Decide(IReadOnlyList<(string Place, Guid StorageId)> told)
    {
        if (options.Restore is { } files)
            return RestoredBootstrap.Create(files, told, time.GetUtcNow());
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = GroupBootstrap.Create(options.Groups, told, options.State, time.GetUtcNow());
        return GroupBootstrap.ToWire(clusterId, peers);
    }

    /// <summary>Only to the storage id that the cluster was founded with: an emptied database has lost its peers.</summary>
    private async Task HandOnAsync(
        StoredSilo place, ClusterBootstrap bootstrap, Guid clusterId, CancellationToken cancellationToken)
    {
        if (!GroupBootstrap.Lists(bootstrap, place))
        {
            OrleansLog.PlaceIsLost(log, place.SiloId);
            return;
        }
        IReadOnlyList<NewPeer> own = GroupBootstrap.PartOf(bootstrap, place, options.Restore);
        PeerDatabase database = await databases.OpenAsync(place.SiloId, cancellationToken);
        await database.BootstrapSiloAsync(
            clusterId, own, place with { Bootstrap = bootstrap.ToByteArray() }, cancellationToken);
    }

    private void TellFounded(Guid clusterId, long start)
    {
        HostLog.ClusterFounded(log, clusterId, options.Groups, options.Groups * places.Names.Count);
        foreach (SnapshotFile file in options.Restore?.Files ?? [])
            HostLog.Restored(log, file.Header.Group, file.Header.ClusterId, file.Header.Index, start);
    }
}
