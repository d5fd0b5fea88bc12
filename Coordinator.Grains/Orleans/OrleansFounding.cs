using System.Collections.Concurrent;
using System.Security.Cryptography;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// How the databases come to their peers, of all groups (rule 1). Every silo may do it, several at once. Invariant: where all
/// share a database, one transaction founds the groups; otherwise the database whose name comes first decides by its row,
/// which is written once, only when all databases are reached and none knows of a cluster, and only over the storage ids
/// that were read then. A database that was emptied since has another one, and gets nothing.
/// </summary>
internal sealed partial class OrleansFounding(
    PeerDatabases databases, PeerPlaces places, OrleansGroupOptions options, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, StoredSilo> _settled = new(StringComparer.Ordinal);
    private IReadOnlyList<Claim> _late = [];
    private volatile ClusterBootstrap? _bootstrap;
    private volatile bool _isFounded;

    /// <summary>Whether the database is one of the cluster's, or may become one, and what it has is known.</summary>
    public bool IsSettled(string place) => places.IsShared ? _isFounded : _settled.ContainsKey(place);

    /// <summary>Until the cluster is known.</summary>
    /// <exception cref="GroupStartException">What is stored is not this cluster, or has another number of groups.</exception>
    public async Task<Guid> SettleAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                Guid clusterId = places.IsShared
                    ? await SettleSharedAsync(cancellationToken)
                    : await SettleApartAsync(cancellationToken);
                _isFounded = true;
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

    /// <summary>Finds a peer that another silo has made.</summary>
    /// <returns>Whether all databases were asked.</returns>
    public async Task<bool> LearnStoredAsync(PeerKey key, CancellationToken cancellationToken)
    {
        bool isEverywhere = true;
        foreach (string place in places.IsShared ? [PeerPlaces.SharedPlace(key.Peer)] : places.Databases)
        {
            try
            {
                if (IsSettled(place) && databases.Find(place) is { } database)
                {
                    if (await database.FindPeerAsync(key, cancellationToken) is not null)
                        places.Learn(key, place);
                    continue;
                }
            }
            catch (Exception e) when (DatabaseConnections.IsFault(e))
            {
                OrleansLog.DatabaseWaits(log, place, e.Message);
            }
            isEverywhere = false;
        }
        return isEverywhere;
    }

    private async Task<Guid> SettleSharedAsync(CancellationToken cancellationToken)
    {
        PeerDatabase database = await databases.OpenAsync("shared by all", cancellationToken);
        if (await database.ReadSiloAsync(cancellationToken) is { } silo)
            throw new GroupStartException($"The database is that of silo or place {silo.SiloId}: it is not shared by all peers.");
        if (await database.ReadClusterAsync(cancellationToken) is { } stored)
        {
            if (stored.Groups != options.Groups)
                throw GroupStartException.OtherGroups(stored.Groups, options.Groups, isStoredHere: true);
            LearnShared(stored.Peers.Select(peer => peer.Key));
            return stored.ClusterId;
        }
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = Create(Enumerable.Range(1, options.Peers).Select(
            number => (PeerPlaces.SharedPlace(new(number)), new Guid(RandomNumberGenerator.GetBytes(16)))));
        await database.BootstrapAsync(clusterId, options.Groups, peers, cancellationToken);
        HostLog.ClusterFounded(log, clusterId, options.Groups, peers.Count);
        LearnShared(peers.Select(peer => peer.Key));
        return clusterId;
    }

    private void LearnShared(IEnumerable<PeerKey> keys)
    {
        foreach (PeerKey key in keys)
            places.Learn(key, PeerPlaces.SharedPlace(key.Peer));
    }

    private (Guid ClusterId, IReadOnlyList<NewPeer> Peers) Create(IEnumerable<(string Place, Guid StorageId)> told) =>
        GroupBootstrap.Create(options.Groups, [.. told], options.State, time.GetUtcNow());
}
