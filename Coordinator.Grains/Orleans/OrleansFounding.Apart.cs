using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Google.Protobuf;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The part for databases of their own. Invariant: all are reached to found a cluster, and one that knows the cluster is enough
/// to be part of it: the others are looked into when they are reached.
/// </summary>
internal sealed partial class OrleansFounding
{
    /// <summary>How long databases that are away are waited for by a silo that knows the cluster from others.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Looks into the databases that were away when the cluster was found.</summary>
    public Task FollowAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_late.Select(claim => FollowAsync(claim, cancellationToken)));

    /// <summary>What is to be stored in a database together with its first peer; null: it has taken part.</summary>
    public async Task<JoiningCluster?> JoiningAsync(string place, PeerDatabase database, CancellationToken cancellationToken)
    {
        if (places.IsShared)
            return null;
        StoredSilo stored = await ClaimAsync(place, database, cancellationToken);
        return stored.Bootstrap is not null ? null : new JoiningCluster(
            new Guid(_bootstrap!.ClusterId.Span), options.Groups, stored with { Bootstrap = _bootstrap.ToByteArray() });
    }

    private async Task<Guid> SettleApartAsync(CancellationToken cancellationToken)
    {
        Claim[] claims = [.. places.Databases.Select(place => new Claim(place, ClaimAsync(place, cancellationToken)))];
        List<StoredSilo> stored = await GatherAsync(claims, cancellationToken);
        StoredSilo[] knowing = [.. stored.Where(one => one.Bootstrap is not null)];
        ClusterBootstrap bootstrap = knowing.Length > 0
            ? ClusterBootstrap.Parser.ParseFrom(knowing[0].Bootstrap)
            : await FoundAsync(stored, cancellationToken);
        if (GroupBootstrap.GroupsOf(bootstrap) is var groups && groups != options.Groups)
            throw GroupStartException.OtherGroups(groups, options.Groups, isStoredHere: true);
        _bootstrap = bootstrap;
        foreach (StoredSilo place in stored)
            await SettleAsync(place, cancellationToken);
        _late = [.. claims.Where(claim => stored.All(one => one.SiloId != claim.Place))];
        foreach (Claim late in _late)
            LearnFounded(late.Place);
        return new Guid(bootstrap.ClusterId.Span);
    }

    /// <summary>All of them; or, if one knows the cluster, those that are reached in time.</summary>
    private async Task<List<StoredSilo>> GatherAsync(Claim[] claims, CancellationToken cancellationToken)
    {
        Task all = Task.WhenAll(claims.Select(claim => claim.Stored));
        await Task.WhenAny(all, Task.Delay(Patience, time, cancellationToken));
        while (true)
        {
            Task<StoredSilo>[] ended = [.. claims.Select(claim => claim.Stored).Where(claim => claim.IsCompleted)];
            // One that has failed on the way is looked into later; one that is refused is an error of the configuration.
            foreach (Task<StoredSilo> failed in ended.Where(claim => claim.Exception?.InnerException is GroupStartException))
                await failed;
            List<StoredSilo> stored = [.. ended.Where(claim => claim.IsCompletedSuccessfully).Select(claim => claim.Result)];
            if (stored.Count == claims.Length || stored.Any(one => one.Bootstrap is not null))
                return stored;
            if (ended.Length == claims.Length)
                await all;
            OrleansLog.FoundingWaits(log, "No database that is reached knows the cluster; if it is new, it is founded when all are.");
            await Task.WhenAny(claims.Select(claim => claim.Stored).Where(claim => !claim.IsCompleted));
        }
    }

    private async Task FollowAsync(Claim late, CancellationToken cancellationToken)
    {
        Task<StoredSilo> claimed = late.Stored;
        while (true)
        {
            try
            {
                await SettleAsync(await claimed, cancellationToken);
                return;
            }
            catch (GroupStartException refused)
            {
                OrleansLog.PlaceRefused(log, late.Place, refused.Message);
                return;
            }
            catch (Exception e) when (DatabaseConnections.IsFault(e) || e is AlreadyBootstrappedException)
            {
                OrleansLog.DatabaseWaits(log, late.Place, e.Message);
            }
            await Task.Delay(AskAgain, time, cancellationToken);
            claimed = ClaimAsync(late.Place, cancellationToken);
        }
    }

    private async Task<StoredSilo> ClaimAsync(string place, CancellationToken cancellationToken) =>
        await ClaimAsync(place, await databases.OpenAsync(place, cancellationToken), cancellationToken);

    private static async Task<StoredSilo> ClaimAsync(string place, PeerDatabase database, CancellationToken cancellationToken)
    {
        StoredSilo claimed = await database.ClaimForSiloAsync(place, cancellationToken)
            ?? throw new GroupStartException($"Database {place} holds the cluster of an embedded host, or of peers that share it.");
        return claimed.SiloId == place
            ? claimed
            : throw new GroupStartException($"Database {place} is that of {claimed.SiloId}: correct the names of the databases.");
    }

    private async Task<ClusterBootstrap> FoundAsync(List<StoredSilo> stored, CancellationToken cancellationToken)
    {
        if (stored.Count % 2 == 0)
        {
            throw new GroupStartException(
                $"A new cluster is founded with an odd number of databases, and {stored.Count} are configured: an even one survives "
                + "no more failures. Further ones can be added later.");
        }
        (Guid clusterId, IReadOnlyList<NewPeer> peers) = Create(stored.Select(place => (place.SiloId, place.StorageId)));
        ClusterBootstrap bootstrap = GroupBootstrap.ToWire(clusterId, peers);
        // The decision: whoever comes second is told that there is a cluster, and takes that one.
        await HandOnAsync(stored[0], bootstrap, cancellationToken);
        stored[0] = stored[0] with { Bootstrap = bootstrap.ToByteArray() };
        HostLog.ClusterFounded(log, clusterId, options.Groups, peers.Count);
        return bootstrap;
    }

    /// <summary>Gives a database its part in the cluster, if it is due, and finds out what it has.</summary>
    private async Task SettleAsync(StoredSilo place, CancellationToken cancellationToken)
    {
        ClusterBootstrap bootstrap = _bootstrap!;
        if (place.Bootstrap is null)
            await HandOnAsync(place, bootstrap, cancellationToken);
        else if (!ClusterBootstrap.Parser.ParseFrom(place.Bootstrap).ClusterId.Equals(bootstrap.ClusterId))
            throw new GroupStartException("The configured databases belong to two different clusters.");
        PeerDatabase database = await databases.OpenAsync(place.SiloId, cancellationToken);
        foreach (StoredPeer peer in (await database.ReadClusterAsync(cancellationToken))?.Peers ?? [])
            places.Learn(peer.Key, place.SiloId);
        _settled[place.SiloId] = place;
    }

    /// <summary>Only to the storage id that the cluster was founded with: an emptied database has lost its peers.</summary>
    private async Task HandOnAsync(StoredSilo place, ClusterBootstrap bootstrap, CancellationToken cancellationToken)
    {
        IReadOnlyList<NewPeer> own = GroupBootstrap.PeersOf(bootstrap, place.SiloId);
        // It was added to the list later.
        if (own.Count == 0)
            return;
        if (own.Any(peer => peer.StorageId != GroupBootstrap.StorageIdOf(place.StorageId, peer.Key.Group)))
        {
            OrleansLog.PlaceIsLost(log, place.SiloId);
            return;
        }
        PeerDatabase database = await databases.OpenAsync(place.SiloId, cancellationToken);
        await database.BootstrapSiloAsync(
            new Guid(bootstrap.ClusterId.Span), own, place with { Bootstrap = bootstrap.ToByteArray() }, cancellationToken);
    }

    /// <summary>Of a database that is away: the peers that it had in the beginning.</summary>
    private void LearnFounded(string place)
    {
        foreach (NewPeer peer in GroupBootstrap.PeersOf(_bootstrap!, place))
            places.Learn(peer.Key, place);
    }

    /// <param name="Stored">Ends when the database is reached; whose it is.</param>
    private sealed record Claim(string Place, Task<StoredSilo> Stored);
}
