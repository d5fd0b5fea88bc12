using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// A database as a place of a group's new peers; wherever they run then. Invariant: a database that is one of several has one
/// peer of each group that stays; one that all share has any number.
/// </summary>
internal sealed class OrleansPlace(OrleansGroup group, OrleansGroups silo, string place, PeerDatabase database) : IPeerPlace
{
    public int Group => group.Group;

    public Guid ClusterId => group.ClusterId;

    public string Title => silo.Places.IsShared ? "The database of all peers" : $"Database {place}";

    public PeerDatabase Storage => database;

    public bool IsMade(PeerId peer) =>
        group.Picture().Facts.Any(fact => fact.PeerId == peer.Value && fact.Purpose is not null);

    public PeerId? Other(PeerPurpose purpose)
    {
        if (silo.Places.IsShared)
            return null;
        GroupPicture picture = group.Picture();
        return silo.Places.PeersAt(Group, place)
            .Where(peer => peer.Value != purpose.Replaces && !picture.HasLeft(peer, storageId: null))
            .Select(peer => (PeerId?)peer)
            .FirstOrDefault();
    }

    public Task PrepareAsync(Guid storageId, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task AddAsync(Func<JoiningCluster?, Task> add, CancellationToken cancellationToken) =>
        silo.TakePartAsync(place, database, add, cancellationToken);

    public async Task RunAsync(PeerAddition addition, CancellationToken cancellationToken)
    {
        group.Learn(addition.Key.Peer, silo.Places.IsShared ? PeerPlaces.SharedPlace(addition.Key.Peer) : place);
        await silo.BeginAsync(addition.Key, cancellationToken);
    }
}
