using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.State;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The part that changes of the group's peers are made with; a place is a database. Whatever is to be done in one, the leader's
/// silo does itself, since it reaches all of them.
/// </summary>
internal sealed partial class OrleansGroup : IPeerHost
{
    /// <summary>How long it is believed that a database has a peer, or has it no longer.</summary>
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(2);

    private readonly Dictionary<PeerId, (long At, bool IsGone)> _gone = [];

    public Guid ClusterId => _silo.ClusterId;

    public string Caller => _silo.Owner;

    public bool IsAlone => false;

    public TimeSpan LeaderTimeout => Options.LeaderTimeout;

    public TimeSpan? ReplaceLostAfter => Options.ReplaceLostPeersAfter;

    public SemaphoreSlim Changing { get; } = new(1, 1);

    /// <summary>Looks after the group's peers, if there is any news of them. Called now and then, by one at a time.</summary>
    public void Keep()
    {
        if (_membersNews.Take())
            LookForMembers();
        _keeper.Look();
    }

    /// <summary>There is such a peer.</summary>
    /// <param name="isListed">The group says so.</param>
    public void Learn(PeerId peer, string place, bool isListed = false)
    {
        string before = PlaceOf(peer);
        if (!_silo.Places.Learn(new(Group, peer), place, isListed))
            return;
        Publish(place);
        Publish(before);
    }

    /// <summary>For ever, whatever is stored under the id.</summary>
    public bool HasLeft(PeerId peer) => Picture().HasLeft(peer, storageId: null);

    public string PlaceOf(PeerId peer) => _silo.Places.Find(new(Group, peer)) ?? "";

    public string DefaultPlace(GroupMembership membership, PeerId replaced) => _silo.Places.IsShared
        ? PeerPlaces.SharedPlace(membership.NextPeerId)
        : membership.Find(replaced)?.Silo ?? "";

    public ClusterAnswer? Unusable(string place)
    {
        if (place.Length == 0)
            return PeerAdministrator.Refused(ErrorCode.SiloNotFound, "Say in \"silo\" in which database the peer is to be.");
        if (!_silo.Places.IsShared && !_silo.Places.Databases.Contains(place))
        {
            return PeerAdministrator.Refused(
                ErrorCode.SiloNotFound, $"There is no database {place} in Coordinator:Orleans:Databases of silo {_silo.Owner}, which leads.");
        }
        return _silo.DatabaseAt(place) is null
            ? PeerAdministrator.Refused(ErrorCode.SiloUnreachable, $"Database {place} is not reached, or has not been looked into.")
            : null;
    }

    public async Task<PeerMade> MakeAsync(string place, PeerId id, PeerPurpose purpose, CancellationToken cancellationToken)
    {
        if (_silo.DatabaseAt(place) is not { } database)
            return PeerMaker.Refused(ErrorCode.SiloUnreachable, $"Database {place} is not reached.");
        var maker = new PeerMaker(new OrleansPlace(this, _silo, place, database), _log);
        PeerMade made = await maker.MakeAsync(id, purpose, cancellationToken);
        if (_silo.Places.IsShared && made.PeerId != 0)
            made.Silo = PeerPlaces.SharedPlace(new PeerId(made.PeerId));
        return made;
    }

    public async ValueTask<bool?> IsGoneAsync(PeerRecord peer, CancellationToken cancellationToken)
    {
        if (_gone.TryGetValue(peer.Id, out (long At, bool IsGone) known) && Time.GetElapsedTime(known.At) < Believed)
            return known.IsGone;
        if (_silo.DatabaseAt(peer.Silo) is not { } database)
            return null;
        try
        {
            bool isGone = await database.FindPeerAsync(new(Group, peer.Id), cancellationToken) != peer.StorageId;
            _gone[peer.Id] = (Time.GetTimestamp(), isGone);
            return isGone;
        }
        catch (Exception e) when (DatabaseConnections.IsFault(e))
        {
            return null;
        }
    }

    public async Task DropAsync(PeerLoop peer, CancellationToken cancellationToken)
    {
        HostLog.PeerLeft(_log, peer.Key);
        peer.Retire();
        // The rows go first: a peer that is forgotten would not come back to be deleted.
        await peer.Database.RemovePeerAsync(peer.Key, peer.StorageId, cancellationToken);
        if (SeatOf(peer.Peer) is { } seat && seat.Loop == peer)
            await seat.LeaveAsync(PeerLoop.HasLeft);
        if (HasLeft(peer.Peer))
            Forget(peer.Peer);
    }

    public void TellNotice(GroupPicture picture)
    {
        // A silo without a peer of the group is nothing to speak of here.
    }

    /// <summary>The group's members may be others than this silo has known so far.</summary>
    private void LookForMembers()
    {
        GroupPicture picture = Picture();
        foreach (MemberFact member in picture.Members)
            Learn(new PeerId(member.PeerId), member.Silo, isListed: true);
        foreach (PeerId left in _silo.Places.PeersOf(Group).Where(peer => picture.HasLeft(peer, storageId: null)))
        {
            if (SeatOf(left) is not { } seat)
                Forget(left);
            // One that runs is deleted first.
            else if (seat.Loop is null)
                _ = Task.Run(() => seat.LeaveAsync(PeerLoop.HasLeft));
        }
    }

    private void Forget(PeerId peer)
    {
        string place = PlaceOf(peer);
        _silo.Places.Forget(new(Group, peer));
        lock (_publishing)
        {
            _elsewhere.Remove(peer);
            _others.Lost(place);
            _others.List(Members());
        }
        // Another one may be in the same place.
        Publish(place);
    }

    private ClusterMember[] Members() => [.. _silo.Places.PlacesOf(Group).Select(place => new ClusterMember(place, ""))];
}
