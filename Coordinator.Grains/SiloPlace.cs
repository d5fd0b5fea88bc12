using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;

namespace Coordinator.Grains;

/// <summary>This silo's own database as a place of new peers. Invariant: in a cluster it has one of each group that stays.</summary>
internal sealed class SiloPlace(SiloGroup group) : IPeerPlace
{
    public int Group => group.Group;

    public Guid ClusterId => group.ClusterId;

    public string Title => $"Silo {group.Options.SiloId}";

    public PeerDatabase Storage => group.Storage;

    public bool IsMade(PeerId peer) => group.Find(peer) is { Addition: not null };

    public PeerId? Other(PeerPurpose purpose)
    {
        if (group.Others is null)
            return null;
        GroupPicture picture = group.Picture();
        return group.Peers
            .Where(peer => peer.Peer.Value != purpose.Replaces && !picture.HasLeft(peer.Peer, peer.StorageId))
            .Select(peer => (PeerId?)peer.Peer)
            .FirstOrDefault();
    }

    public Task PrepareAsync(Guid storageId, CancellationToken cancellationToken) =>
        PeerActivation.PrepareAsync(storageId, group.Storage, group.Options.Witness, cancellationToken);

    public Task AddAsync(Func<JoiningCluster?, Task> add, CancellationToken cancellationToken) =>
        group.Founding is { } founding ? founding.TakePartAsync(group.ClusterId, add, cancellationToken) : add(null);

    public async Task RunAsync(PeerAddition addition, CancellationToken cancellationToken)
    {
        if (group.Find(addition.Key.Peer) is { } running)
            group.Describe(running, addition);
        else
            await group.RunPeerAsync(addition.Key, addition.StorageId, addition, cancellationToken);
    }
}
