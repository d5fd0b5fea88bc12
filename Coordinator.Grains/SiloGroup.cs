using System.Collections.Concurrent;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// The group as this silo has it: the peers that are here, which come and go, and what is known of those on other silos.
/// The embedded host has all of them here and no other silos. Invariant: a peer runs only on an activation that has
/// committed (rule 2), and in a cluster only after most of the silos have taken this process for the silo that it says it
/// is, or the leader's, which asks for a new peer (rule 27).
/// </summary>
public sealed partial class SiloGroup : IAsyncDisposable
{
    internal const int Group = 0;

    private readonly ConcurrentDictionary<PeerId, PeerLoop> _peers = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly PeerAdministrator _administrator;
    private PeerKeeper? _keeper;
    private int _disposed;

    private SiloGroup(
        PeerDatabase database, SiloGroupOptions options, ClusterTransport? transport, TimeProvider time, ILogger log)
    {
        Storage = database;
        Options = options;
        _time = time;
        _log = log;
        _transport = transport;
        if (transport is null)
        {
            Gateway = new GroupGateway(Group, options.LeaderTimeout, time);
        }
        else
        {
            Others = new OtherSilos(options.SiloId, options.Silos, Group, transport);
            _founding = new ClusterFounding(database, options, Others, time, log);
            Gateway = new GroupGateway(Group, options.LeaderTimeout, time, Others);
            _facts = new FactsTeller(this, transport.Tell, time);
        }
        Gateway.Durability = Durable;
        Gateway.Database = () => database.Health;
        Maker = new PeerMaker(this, _founding, log);
        _administrator = new PeerAdministrator(this, time, log);
        Gateway.Attach(_administrator.ExecuteAsync);
    }

    public Guid ClusterId { get; private set; }

    public GroupGateway Gateway { get; }

    /// <summary>What the last check of the database found.</summary>
    public DatabaseHealth Database => Storage.Health;

    internal PeerDatabase Storage { get; }

    internal SiloGroupOptions Options { get; }

    internal PeerMaker Maker { get; }

    /// <summary>Null: there are none, all peers are here.</summary>
    internal OtherSilos? Others { get; }

    internal IEnumerable<PeerLoop> Peers => _peers.Values;

    /// <summary>Whether all peers that the database has run here: a member of this silo's that does not is lost.</summary>
    internal bool AllRun { get; private set; }

    /// <summary>Held by whoever changes which peers are here, or has the group change its members: one at a time.</summary>
    internal SemaphoreSlim Changing { get; } = new(1, 1);

    /// <summary>The embedded host's: opens the database, bootstraps it if it is new, and activates all peers.</summary>
    /// <exception cref="GroupStartException">Stored peers cannot be activated; the message says which and why.</exception>
    /// <exception cref="DatabaseRefusedException">The database's settings, version or schema are refused.</exception>
    public static async Task<SiloGroup> StartAsync(
        SiloGroupOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ILogger log = logs.CreateLogger<SiloGroup>();
        PeerDatabase database = await PeerDatabase.OpenAsync(options.Database, time, logs, cancellationToken);
        var group = new SiloGroup(database, options, transport: null, time, log);
        try
        {
            StoredCluster cluster = await EmbeddedFounding.ReadOrBootstrapAsync(options, database, time, log, cancellationToken);
            group.ClusterId = cluster.ClusterId;
            await group.RunStoredAsync(cluster.Peers, cancellationToken);
            group.BeginElection();
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the peers, then lets go of the database. Open requests end with what is known of them.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        if (_facts is not null)
            await _facts.DisposeAsync();
        if (_keeper is not null)
            await _keeper.DisposeAsync();
        await _administrator.DisposeAsync();
        await Gateway.DisposeAsync();
        await Task.WhenAll(_peers.Values.Select(peer => peer.DisposeAsync().AsTask()));
        await Storage.DisposeAsync();
    }

    /// <summary>Null: it does not run here.</summary>
    internal PeerLoop? Find(PeerId peer) => _peers.GetValueOrDefault(peer);

    internal GroupPicture Picture() => GroupPicture.Of(Group, _peers.Values, Others);

    internal LeadershipHandOver HandOver(TimeSpan limit) => new(Gateway, Picture, Others, limit, _time);

    /// <summary>
    /// The peer here that leads with a quorum and has applied all that it has committed: before that it might take a member
    /// that has just joined for none. Null: none, now.
    /// </summary>
    internal ReplicaStatus? SettledLeader() => Peers.Select(peer => peer.Status)
        .OrderByDescending(status => status.Term)
        .FirstOrDefault(status => status.IsReady && status.AppliedIndex >= status.CommitIndex);

    /// <summary>Takes a stored peer over and begins to run it.</summary>
    /// <param name="addition">What it was added for; null: it is one of the first.</param>
    internal async Task RunPeerAsync(
        PeerKey key, Guid storageId, PeerAddition? addition, CancellationToken cancellationToken)
    {
        bool isShared = Others is null;
        ActivatedPeer activated = await PeerActivation.ActivateAsync(
            key, storageId, Storage, Options.Witness with { IsShared = isShared }, Options.SiloId,
            Options.ActivationTimeout, _time, _log, cancellationToken);
        ReplicaOptions replica = PeerActivation.Seeded(Options.Replica);
        // Nobody else's storage would do better than the one that all share.
        _peers.TryAdd(key.Peer, new PeerLoop(
            isShared ? replica with { StorageBudgetElections = 0 } : replica, activated, Storage, Options.SiloId, Deliver,
            Gateway.SessionEnded, Gateway.LeadershipChanged, _time, _log)
        {
            Addition = addition?.StorageId == activated.Loaded.StorageId ? addition : null,
        });
        AttachPeers();
    }

    /// <summary>Stops a peer that is known to be no member any longer, and deletes what is stored of it.</summary>
    internal async Task DropPeerAsync(PeerLoop peer, CancellationToken cancellationToken)
    {
        HostLog.PeerLeft(_log, peer.Peer.Value);
        peer.Retire();
        // The rows go first: a peer that is not in the list any more would be forgotten with its rows left behind.
        await Storage.RemovePeerAsync(new PeerKey(Group, peer.Peer), peer.StorageId, cancellationToken);
        if (!_peers.TryRemove(KeyValuePair.Create(peer.Peer, peer)))
            return;
        AttachPeers();
        await peer.DisposeAsync();
        PeerActivation.Forget(peer.StorageId, Options.Witness, _log);
    }

    private async Task RunStoredAsync(IReadOnlyList<StoredPeer> stored, CancellationToken cancellationToken)
    {
        StoredPeer[] peers = [.. stored.Where(peer => peer.Key.Group == Group)];
        IReadOnlyList<PeerAddition> additions = await Storage.ReadAdditionsAsync(Group, cancellationToken);
        foreach (StoredPeer peer in peers)
        {
            PeerAddition? addition = additions.FirstOrDefault(
                one => one.Key == peer.Key && one.StorageId == peer.StorageId);
            await RunPeerAsync(peer.Key, peer.StorageId, addition, cancellationToken);
        }
        AllRun = true;
        AttachPeers();
        HostLog.Activated(_log, Group, peers.Length);
        _keeper = new PeerKeeper(this, _time, _log);
    }

    private Durability? Durable()
    {
        ReplicaStatus[] all = [.. Peers.Select(peer => peer.Status)];
        return all.MaxBy(status => status.AppliedIndex) is not { } best ? null : Durability.Of(
            best.Membership.ConfState,
            voter => all.FirstOrDefault(status => status.Peer == voter) is { } here
                ? here.Service == ServiceState.Running ? OwnServer() : null
                : Others?.ServerOf(voter));
    }

    private string? OwnServer() => Others is null ? "here" : OtherSilos.NameOf(Storage.Health.System);

    private void AttachPeers()
    {
        Gateway.Attach([.. _peers.Values]);
        _facts?.TellNow();
    }

    /// <summary>All peers are here and none has a leader: the one with the longest log need not wait for its time-out.</summary>
    private void BeginElection() => _peers.Values
        .MaxBy(peer => (peer.Status.Term, peer.Status.LastIndex, peer.Peer))
        ?.Post(new PeerInput.Campaign());

    /// <summary>In memory, so the only loss is a full inbox; or over the link with the silo of a peer that is not here.</summary>
    private void Deliver(Envelope envelope)
    {
        if (_peers.TryGetValue(envelope.To, out PeerLoop? peer))
            peer.TryPost(envelope);
        else if (_transport is not null && SiloOf(envelope) is { } silo && silo != Options.SiloId)
            _transport.Send(silo, envelope);
    }

    /// <summary>As the sender's own membership lists it; a new peer that has none yet goes by what the silos tell.</summary>
    private string? SiloOf(Envelope envelope) =>
        Find(envelope.From)?.Status.Membership.Find(envelope.To)?.Silo ?? Others?.SiloOf(envelope.To);
}

/// <summary>The group cannot start on what is stored.</summary>
public sealed class GroupStartException(string message) : Exception(message);
