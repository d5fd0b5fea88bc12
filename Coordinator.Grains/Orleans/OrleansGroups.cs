using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using Orleans.Runtime;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// All groups of the cluster as a silo of an Orleans cluster has them. Invariant: as many as the cluster was founded with, by
/// their numbers (rule 21); and whatever a silo does now and then, it does for all of them at once.
/// </summary>
public sealed class OrleansGroups : IAsyncDisposable
{
    /// <summary>Of the grain directory and the storage, in Orleans' configuration.</summary>
    public const string ProviderName = "coordinator";

    /// <summary>Peers that are loaded, or asked to become active, at a time.</summary>
    internal const int LoadsMax = 32;

    private static readonly TimeSpan SearchAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepInterval = TimeSpan.FromMilliseconds(500);

    private readonly PeerDatabases _databases;
    private readonly PeerSender _sender;
    private readonly IGrainFactory _grains;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _loads = new(LoadsMax);
    private readonly SemaphoreSlim _takingPart = new(1, 1);
    private readonly OrleansFounding _founding;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<Guid> _founded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private volatile bool _isStopping;
    private int _isDisposed;

    internal OrleansGroups(
        OrleansGroupOptions options, PeerPlaces places, IGrainFactory grains, ILocalSiloDetails silo, ILoggerFactory logs)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(silo);
        options.Validate();
        Options = options;
        Address = silo.SiloAddress;
        Owner = $"{silo.Name} {silo.SiloAddress.ToParsableString()}";
        _grains = grains;
        _log = logs.CreateLogger<OrleansGroups>();
        Places = places;
        _databases = new PeerDatabases(options, Places, Time, logs, _log);
        _founding = new OrleansFounding(_databases, Places, Options, Time, _log);
        _sender = new PeerSender(grains, LoopOf, _log);
        Tombstones = new PeerTombstones(Time);
        Groups = [.. Enumerable.Range(0, options.Groups).Select(group => new OrleansGroup(group, this, _log))];
        Gateways = [.. Groups.Select(group => group.Gateway)];
        Elsewhere = new PeersElsewhere(this);
        Here = new PeersHere(this);
    }

    /// <summary>The doors to the groups, by their numbers; each serves from any silo, wherever the leader is.</summary>
    public IReadOnlyList<GroupGateway> Gateways { get; }

    /// <summary>Whether a linearizable request to any group would be served now.</summary>
    public bool IsReady => Founded.IsCompletedSuccessfully && Gateways.All(gateway => gateway.IsReady);

    /// <summary>Ends when the groups are found or founded; never fails before the silo cannot go on.</summary>
    public Task<Guid> Founded => _founded.Task;

    /// <summary>By their numbers.</summary>
    internal IReadOnlyList<OrleansGroup> Groups { get; }

    internal OrleansGroupOptions Options { get; }

    internal PeerPlaces Places { get; }

    internal PeersElsewhere Elsewhere { get; }

    internal PeersHere Here { get; }

    internal PeerTombstones Tombstones { get; }

    internal TimeProvider Time { get; } = TimeProvider.System;

    internal SiloAddress Address { get; }

    /// <summary>As it stands in the rows of the peers that are here.</summary>
    internal string Owner { get; }

    internal bool IsStopping => _isStopping;

    /// <summary>Once it is founded.</summary>
    internal Guid ClusterId => Founded.Result;

    /// <summary>Stops the peers that are still here, then lets go of the databases.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        await _running;
        _founded.TrySetCanceled();
        await Task.WhenAll(Groups.Select(group => group.DisposeAsync().AsTask()));
        await _databases.DisposeAsync();
    }

    /// <summary>Founds or finds the groups, and looks after their peers, until the silo stops.</summary>
    internal void Start(PeerLookout lookout, PeerBalancer balancer) => _running = Task.Run(() => RunAsync(lookout, balancer));

    /// <summary>Null: there is no such group, and can be no such peer.</summary>
    internal OrleansGroup? Find(PeerKey key) =>
        (uint)key.Group < (uint)Groups.Count && key.Peer.Value > 0 ? Groups[key.Group] : null;

    internal bool IsHere(PeerKey key) => Groups[key.Group].SeatOf(key.Peer) is not null;

    internal IRaftPeerGrain GrainOf(PeerKey key) => _grains.GetGrain<IRaftPeerGrain>(PeerPlaces.KeyOf(key.Group, key.Peer));

    /// <summary>Makes a peer active that is so nowhere, where the placement says: whoever calls its grain does.</summary>
    internal async Task BeginAsync(PeerKey key, CancellationToken cancellationToken)
    {
        try
        {
            await GrainOf(key).BeginAsync().WaitAsync(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            OrleansLog.PeerNotBegun(_log, key.ToString(), e.Message);
        }
    }

    /// <summary>Carries a peer's message to another one, or loses it.</summary>
    internal void Send(Envelope envelope) => _sender.Send(envelope);

    /// <summary>Null: the place is not one of this cluster's that is reached by now.</summary>
    internal PeerDatabase? DatabaseAt(string place) => _founding.IsSettled(place) ? _databases.Find(place) : null;

    /// <summary>Of all the databases together: whatever is wrong with one is.</summary>
    internal DatabaseHealth Health() => _databases.Health();

    /// <summary>That of a peer, wherever it is stored; waits for it as long as it takes.</summary>
    /// <exception cref="GroupStartException">It is in none of them.</exception>
    internal async Task<PeerDatabase> OpenDatabaseAsync(PeerKey key, CancellationToken cancellationToken)
    {
        await _founded.Task.WaitAsync(cancellationToken);
        while (Places.Find(key) is null)
        {
            // Made by a silo that has not told of it here.
            bool isEverywhere = await _founding.LearnStoredAsync(key, cancellationToken);
            if (Places.Find(key) is not null)
                break;
            if (isEverywhere)
                throw new GroupStartException($"Peer {key} is in none of the databases.");
            await Task.Delay(SearchAgain, Time, cancellationToken);
        }
        return await _databases.OpenAsync(Places.Find(key)!, cancellationToken);
    }

    internal async Task<(ActivatedPeer Peer, PeerAddition? Addition)> LoadAsync(
        PeerKey key, PeerDatabase database, CancellationToken cancellationToken)
    {
        // A silo that takes over many peers at once must not ask their databases for all of their logs at once.
        await _loads.WaitAsync(cancellationToken);
        try
        {
            // The storage id names a witness file, and there is none.
            ActivatedPeer activated = await PeerActivation.ActivateAsync(
                key, storageId: default, database, Witness, Owner, TimeSpan.MaxValue, Time, _log, cancellationToken);
            IReadOnlyList<PeerAddition> additions = await database.ReadAdditionsAsync(key.Group, cancellationToken);
            return (activated, additions.FirstOrDefault(
                one => one.Key == key && one.StorageId == activated.Loaded.StorageId));
        }
        finally
        {
            _loads.Release();
        }
    }

    /// <summary>Adds a peer in a database: the first one makes it take part in the cluster.</summary>
    internal async Task TakePartAsync(
        string place, PeerDatabase database, Func<JoiningCluster?, Task> add, CancellationToken cancellationToken)
    {
        // Two groups may add their first peers there at the same time.
        await _takingPart.WaitAsync(cancellationToken);
        try
        {
            while (await _founding.JoiningAsync(place, database, cancellationToken) is { } joins)
            {
                try
                {
                    await add(joins);
                    return;
                }
                catch (Exception e) when (e is InvalidOperationException or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
                {
                    // Another silo was first; if not, there is no end to it.
                    if (await _founding.JoiningAsync(place, database, cancellationToken) is not null)
                        throw;
                }
            }
            await add(null);
        }
        finally
        {
            _takingPart.Release();
        }
    }

    /// <summary>Hands all leaderships over that are here, and stops the peers; to be called while the others are reached (rule 26).</summary>
    internal async Task HandOverAsync()
    {
        _isStopping = true;
        foreach (OrleansGroup group in Groups)
            group.TellStopping();
        await Task.WhenAll(Groups.Select(group => group.HandOverAsync()));
    }

    private async Task RunAsync(PeerLookout lookout, PeerBalancer balancer)
    {
        try
        {
            _founded.TrySetResult(await _founding.SettleAsync(_stopping.Token));
            var catalogue = new CatalogueTeller(this, _grains, _log);
            await using LeaderSpreader? spreader = Groups.Count > 1 ? new LeaderSpreader(Spread(), Time, _log) : null;
            await Task.WhenAll(
                lookout.RunAsync(_stopping.Token), balancer.RunAsync(_stopping.Token), catalogue.RunAsync(_stopping.Token),
                KeepAsync(), _founding.FollowAsync(_stopping.Token));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The silo stops.
        }
        catch (Exception e)
        {
            OrleansLog.GroupNotOpened(_log, e);
            foreach (GroupGateway gateway in Gateways)
                gateway.Notice = e.Message;
            _founded.TrySetException(e);
        }
    }

    /// <summary>One clock for all groups.</summary>
    private async Task KeepAsync()
    {
        using PeriodicTimer timer = new(KeepInterval, Time);
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            foreach (OrleansGroup group in Groups)
                group.Keep();
        }
    }

    private SpreadSilo Spread() => new()
    {
        Id = Address.ToString(),
        Interval = Options.SpreadInterval,
        HandOverLimit = Options.LeaderTimeout,
        Able = () => Elsewhere.Able().Append(Address).Select(silo => silo.ToString()),
        Groups = [.. Groups.Select(group => new SpreadGroup(
            group.Gateway, group.Picture, group.HandOver, member => group.WhereIs(new PeerId(member.PeerId))?.ToString()))],
    };

    private PeerLoop? LoopOf(PeerKey key) => Find(key)?.SeatOf(key.Peer)?.Loop;

    // A peer goes from silo to silo, and a silo's file knows only of the time that it was there. So no file vouches for its
    // database, which is taken as it is.
    private WitnessOptions Witness => new() { TrustStorage = true, IsShared = Places.IsShared };
}
