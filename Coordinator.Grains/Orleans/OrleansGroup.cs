using System.Collections.Concurrent;
using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica.Storage;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The group as a silo of an Orleans cluster has it: the peers whose grains are active here, and what the others have told
/// of themselves. Invariant: that a peer runs here says nothing of whether it runs elsewhere too; the epoch in its row
/// does (rules 2 to 6).
/// </summary>
public sealed partial class OrleansGroup : IAsyncDisposable
{
    /// <summary>Of the grain directory and the storage, in Orleans' configuration.</summary>
    public const string ProviderName = "coordinator";

    internal const int Group = 0;

    private const int LoadsMax = 32;

    private readonly PeerPlaces _places;
    private readonly PeerDatabases _databases;
    private readonly OtherSilos _others;
    private readonly PeerSender _sender;
    private readonly IGrainFactory _grains;
    private readonly string _owner;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _loads = new(LoadsMax);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<Guid> _founded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<PeerKey, PeerSeat> _seats = [];
    private readonly ConcurrentDictionary<string, bool> _reached = new(StringComparer.Ordinal);
    private readonly Lock _attaching = new();
    private volatile bool _isStopping;
    private int _isDisposed;

    public OrleansGroup(
        OrleansGroupOptions options, IGrainFactory grains, ILocalSiloDetails silo, ILoggerFactory logs)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(silo);
        options.Validate();
        Options = options;
        _grains = grains;
        _owner = $"{silo.Name} {silo.SiloAddress.ToParsableString()}";
        _log = logs.CreateLogger<OrleansGroup>();
        _places = new PeerPlaces(options);
        _databases = new PeerDatabases(options, _places, Time, logs, _log);
        _others = new OtherSilos(
            own: "", [.. _places.Names.Select(place => new ClusterMember(place, ""))], Group, Transport());
        _sender = new PeerSender(grains, peer => SeatOf(peer)?.Loop, _log);
        Tombstones = new PeerTombstones(Time);
        Gateway = new GroupGateway(Group, options.LeaderTimeout, Time, _others);
        Gateway.Attach(new OrleansAdministrator(this).ExecuteAsync);
    }

    /// <summary>Serves from any silo, wherever the leader is.</summary>
    public GroupGateway Gateway { get; }

    /// <summary>Ends when the group is found or founded; never fails before the silo cannot go on.</summary>
    public Task<Guid> Founded => _founded.Task;

    internal OrleansGroupOptions Options { get; }

    internal TimeProvider Time { get; } = TimeProvider.System;

    internal PeerTombstones Tombstones { get; }

    internal int LocalPeers => _seats.Values.Count(seat => seat.Runs);

    /// <summary>Stops the peers that are still here, then lets go of the databases.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        await _looking;
        _founded.TrySetCanceled();
        await Gateway.DisposeAsync();
        await Task.WhenAll(_seats.Values.Select(seat => seat.DisposeAsync().AsTask()));
        await _databases.DisposeAsync();
    }

    internal GroupPicture Picture() =>
        GroupPicture.Of(Group, _seats.Values.Select(seat => seat.Loop).OfType<PeerLoop>(), _others);

    internal LeadershipHandOver HandOver(TimeSpan limit) => new(Gateway, Picture, _others, limit, Time);

    internal bool Has(PeerKey key) => key.Group == Group && _places.Contains(key.Peer);

    /// <summary>A grain of the peer has become active here.</summary>
    internal PeerSeat Sit(PeerKey key, Action<string> leave, Action move)
    {
        // One whose end is still under way is fenced off by the next one's epoch.
        var seat = new PeerSeat(this, key, leave, move, _log);
        _seats[key] = seat;
        return seat;
    }

    internal void Left(PeerSeat seat) => _seats.TryRemove(KeyValuePair.Create(seat.Key, seat));

    internal async Task<PeerDatabase> OpenDatabaseAsync(PeerId peer, CancellationToken cancellationToken)
    {
        await _founded.Task.WaitAsync(cancellationToken);
        return await _databases.OpenAsync(peer, cancellationToken);
    }

    internal async Task<ActivatedPeer> LoadAsync(PeerKey key, PeerDatabase database, CancellationToken cancellationToken)
    {
        // A silo that takes over many peers at once must not ask their databases for all of their logs at once.
        await _loads.WaitAsync(cancellationToken);
        try
        {
            StoredCluster? cluster = await database.ReadClusterAsync(cancellationToken);
            StoredPeer stored = cluster?.Peers.FirstOrDefault(peer => peer.Key == key)
                ?? throw new GroupStartException($"Peer {key} is not in its database.");
            return await PeerActivation.ActivateAsync(
                key, stored.StorageId, database, Witness, _owner, TimeSpan.MaxValue, Time, _log, cancellationToken);
        }
        finally
        {
            _loads.Release();
        }
    }

    internal PeerLoop Run(PeerSeat seat, ActivatedPeer activated, PeerDatabase database)
    {
        OrleansLog.PeerActive(_log, seat.Key.ToString(), activated.Loaded.Epoch);
        return new PeerLoop(
            PeerActivation.Seeded(Options.Replica), activated, database, _owner, _sender.Send, Gateway.SessionEnded,
            () => Changed(seat), Time, _log);
    }

    /// <summary>Whether the seat's peer runs has changed.</summary>
    internal void Attach(PeerSeat seat)
    {
        lock (_attaching)
        {
            Gateway.Attach([.. _seats.Values.Select(one => one.Loop).OfType<PeerLoop>()]);
        }
        Tell(seat);
    }

    internal void Dropped(PeerKey key, string why) => OrleansLog.MessageDropped(_log, key.ToString(), why);

    internal SiloFacts FactsOf(PeerSeat seat)
    {
        var facts = new SiloFacts { Stopping = _isStopping };
        if (Founded.IsCompletedSuccessfully)
            facts.ClusterId = ByteString.CopyFrom(Founded.Result.ToByteArray());
        if (seat.Loop is { } loop)
            facts.Groups.Add(GroupFacts.Of(Group, loop, loop.Status));
        return facts;
    }

    // A peer goes from silo to silo, and a silo's file knows only of the time that it was there. So no file vouches for its
    // database, which is taken as it is.
    private WitnessOptions Witness => new() { TrustStorage = true, IsShared = _places.IsShared };

    private PeerSeat? SeatOf(PeerId peer) => _seats.GetValueOrDefault(new PeerKey(Group, peer));

    private void Changed(PeerSeat seat)
    {
        seat.Changed();
        Tell(seat);
        Gateway.LeadershipChanged();
    }

    private void Tell(PeerSeat seat)
    {
        string place = _places.NameOf(seat.Key.Peer);
        // A peer that runs here is looked at, and told of to nobody here.
        _others.Told(place, new SiloFacts { Stopping = _isStopping });
        _reached[place] = seat.Runs;
    }
}
