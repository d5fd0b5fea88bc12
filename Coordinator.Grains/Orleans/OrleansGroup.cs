using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// A group as a silo of an Orleans cluster has it: the peers whose grains are active here, and what the others have told
/// of themselves. Invariant: that a peer runs here says nothing of whether it runs elsewhere too; the epoch in its row
/// does (rules 2 to 6).
/// </summary>
internal sealed partial class OrleansGroup : IAsyncDisposable
{
    private readonly OrleansGroups _silo;
    private readonly OtherSilos _others;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<PeerId, PeerSeat> _seats = [];
    private readonly Lock _attaching = new();
    private readonly PeerAdministrator _administrator;
    private readonly PeerKeeper _keeper;
    private readonly GroupNews _membersNews;
    private volatile IReadOnlyList<PeerLoop> _listed = [];
    private long _version;

    public OrleansGroup(int group, OrleansGroups silo, ILogger log)
    {
        Group = group;
        _silo = silo;
        _log = log;
        _others = new OtherSilos(own: "", Members(), group, Transport());
        Gateway = new GroupGateway(group, Options.LeaderTimeout, Time, _others);
        _administrator = new PeerAdministrator(this, Time, log);
        _keeper = new PeerKeeper(this, Time, log);
        _membersNews = new GroupNews(this);
        Gateway.Attach(_administrator.ExecuteAsync);
        Gateway.Durability = Durable;
        Gateway.Database = silo.Health;
    }

    /// <summary>Its number.</summary>
    public int Group { get; }

    /// <summary>Serves from any silo, wherever the leader is.</summary>
    public GroupGateway Gateway { get; }

    public OrleansGroupOptions Options => _silo.Options;

    public TimeProvider Time => _silo.Time;

    public PeerTombstones Tombstones => _silo.Tombstones;

    /// <summary>Those whose grains are active here, whether they run yet or not.</summary>
    public IEnumerable<PeerSeat> Seats => _seats.Values;

    /// <summary>Those that run here.</summary>
    public IReadOnlyList<PeerLoop> Peers => _listed;

    /// <summary>Counts changes of which peers are here, and of what is told of the others.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Stops the peers that are still here.</summary>
    public async ValueTask DisposeAsync()
    {
        await _keeper.DisposeAsync();
        await _administrator.DisposeAsync();
        await Gateway.DisposeAsync();
        await Task.WhenAll(Seats.Select(seat => seat.DisposeAsync().AsTask()));
    }

    public GroupPicture Picture() => GroupPicture.Of(Group, _listed, _others);

    public LeadershipHandOver HandOver(TimeSpan limit) => new(Gateway, Picture, _others, limit, Time);

    public PeerSeat? SeatOf(PeerId peer) => _seats.GetValueOrDefault(peer);

    /// <summary>A grain of the peer has become active here.</summary>
    public PeerSeat Sit(PeerKey key, Action<string> leave, Action<SiloAddress> move)
    {
        // One whose end is still under way is fenced off by the next one's epoch.
        var seat = new PeerSeat(this, key, leave, move, _log);
        _seats[key.Peer] = seat;
        Moved(key.Peer);
        return seat;
    }

    public void Left(PeerSeat seat)
    {
        if (_seats.TryRemove(KeyValuePair.Create(seat.Key.Peer, seat)))
            Moved(seat.Key.Peer);
    }

    public Task<PeerDatabase> OpenDatabaseAsync(PeerId peer, CancellationToken cancellationToken) =>
        _silo.OpenDatabaseAsync(new(Group, peer), cancellationToken);

    public Task<(ActivatedPeer Peer, PeerAddition? Addition)> LoadAsync(
        PeerKey key, PeerDatabase database, CancellationToken cancellationToken) => _silo.LoadAsync(key, database, cancellationToken);

    public PeerLoop Run(PeerSeat seat, ActivatedPeer activated, PeerAddition? addition, PeerDatabase database)
    {
        OrleansLog.PeerActive(_log, seat.Key.ToString(), activated.Loaded.Epoch);
        ReplicaOptions replica = PeerActivation.Seeded(Options.Replica);
        // Nobody else's storage would do better than the one that all share.
        return new PeerLoop(
            _silo.Places.IsShared ? replica with { StorageBudgetElections = 0 } : replica, activated, database, _silo.Owner, _silo.Send, Gateway.SessionEnded,
            () => Changed(seat), Time, _log)
        {
            Addition = addition,
        };
    }

    /// <summary>Whether the seat's peer runs has changed.</summary>
    public void Attach(PeerSeat seat)
    {
        lock (_attaching)
        {
            _listed = [.. _seats.Values.Select(one => one.Loop).OfType<PeerLoop>().OrderBy(peer => peer.Peer)];
            Gateway.Attach(_listed);
        }
        Moved(seat.Key.Peer);
    }

    public void Dropped(PeerKey key, string why) => OrleansLog.MessageDropped(_log, key.ToString(), why);

    /// <summary>Of its peers here; of those that are active and don't run yet, that they are here, and no more.</summary>
    public GroupFact[] Facts()
    {
        IReadOnlyList<GroupFact> here = Picture().Here;
        GroupFact[] facts = [.. _seats.Keys.Order().Select(peer =>
            here.FirstOrDefault(fact => fact.PeerId == peer.Value) ?? new GroupFact { Group = Group, PeerId = peer.Value })];
        foreach (GroupFact fact in facts)
            fact.Place = PlaceOf(GroupFacts.IdOf(fact));
        return facts;
    }

    private void Changed(PeerSeat seat)
    {
        seat.Changed();
        Gateway.LeadershipChanged();
    }

    /// <summary>Whether the peer is here has changed.</summary>
    private void Moved(PeerId peer)
    {
        Interlocked.Increment(ref _version);
        Publish(peer);
    }
}
