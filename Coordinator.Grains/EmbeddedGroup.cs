using System.Buffers;
using System.Collections.Concurrent;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// The embedded host's group: all its peers in this process, messages handed over in memory, one database. Invariant:
/// a peer runs only on an activation that has committed (rule 2).
/// </summary>
public sealed class EmbeddedGroup : IAsyncDisposable
{
    private const int Group = 0;

    private readonly PeerDatabase _database;
    private readonly EmbeddedGroupOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<PeerId, PeerLoop> _peers = [];
    private PeerReplacer? _replacer;
    private PeerAdministrator? _administrator;
    private int _isDisposed;

    private EmbeddedGroup(
        PeerDatabase database, Guid clusterId, EmbeddedGroupOptions options, TimeProvider time, ILogger log)
    {
        _database = database;
        _options = options;
        _time = time;
        _log = log;
        ClusterId = clusterId;
        Gateway = new GroupGateway(Group, options.LeaderTimeout, time);
    }

    public Guid ClusterId { get; }

    public GroupGateway Gateway { get; }

    internal IEnumerable<PeerLoop> Peers => _peers.Values;

    /// <summary>
    /// Held by whoever changes the group's peers: between the row of a new peer and its membership nobody may take it
    /// for one that was left behind.
    /// </summary>
    internal SemaphoreSlim Changing { get; } = new(1, 1);

    /// <summary>What the last check of the database found.</summary>
    public DatabaseHealth Database => _database.Health;

    /// <summary>Opens the database, bootstraps it if it is new, and activates all peers.</summary>
    /// <exception cref="GroupStartException">Stored peers cannot be activated; the message says which and why.</exception>
    /// <exception cref="DatabaseRefusedException">The database's settings, version or schema are refused.</exception>
    public static async Task<EmbeddedGroup> StartAsync(
        EmbeddedGroupOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ILogger log = logs.CreateLogger<EmbeddedGroup>();
        PeerDatabase database = await PeerDatabase.OpenAsync(options.Database, time, logs, cancellationToken);
        EmbeddedGroup? group = null;
        try
        {
            StoredCluster cluster = await ReadOrBootstrapAsync(options, database, time, log, cancellationToken);
            group = new EmbeddedGroup(database, cluster.ClusterId, options, time, log);
            foreach (StoredPeer peer in cluster.Peers)
                await group.RunPeerAsync(peer.Key, cancellationToken);
            group.AttachPeers();
            group.BeginElection();
            group._replacer = new PeerReplacer(group, options.SiloId, time, log);
            group._administrator = new PeerAdministrator(group, options, time, log);
            group.Gateway.Attach(group._administrator.ExecuteAsync);
            HostLog.Activated(log, Group, group._peers.Count);
            return group;
        }
        catch
        {
            if (group is not null)
                await group.DisposeAsync();
            else
                await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the peers, then lets go of the database. Open requests end with what is known of them.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        if (Interlocked.Exchange(ref _replacer, null) is { } replacer)
            await replacer.DisposeAsync();
        if (Interlocked.Exchange(ref _administrator, null) is { } administrator)
            await administrator.DisposeAsync();
        await Gateway.DisposeAsync();
        await Task.WhenAll(_peers.Values.Select(peer => peer.DisposeAsync().AsTask()));
        await _database.DisposeAsync();
    }

    private static async Task<StoredCluster> ReadOrBootstrapAsync(
        EmbeddedGroupOptions options, PeerDatabase database, TimeProvider time, ILogger log,
        CancellationToken cancellationToken)
    {
        if (await database.ReadSiloAsync(cancellationToken) is { } silo)
        {
            throw new GroupStartException(
                $"The database is that of silo {silo.SiloId} of a cluster: start it with Coordinator:Host = Cluster.");
        }
        if (await database.ReadClusterAsync(cancellationToken) is { } stored)
        {
            if (options.Restore is not null)
            {
                throw new GroupStartException(
                    $"The database has cluster {stored.ClusterId} already: a snapshot is restored into an empty one. "
                    + "If that cluster is what an earlier start has restored, start without --restore.");
            }
            if (stored.Groups != 1)
            {
                throw new GroupStartException(
                    $"The database belongs to a cluster of {stored.Groups} groups; the embedded host runs one.");
            }
            if (stored.Peers.Count != options.Peers)
                HostLog.PeersDiffer(log, Group, stored.Peers.Count, options.Peers);
            return stored;
        }
        (Guid clusterId, IReadOnlyList<NewPeer> peers) =
            GroupBootstrap.Create(
                Group, options.Peers, options.SiloId, options.State, time.GetUtcNow(), options.Restore);
        await database.BootstrapAsync(clusterId, 1, peers, cancellationToken);
        HostLog.Bootstrapped(log, Group, clusterId, peers.Count);
        if (options.Restore is { } restore)
            HostLog.Restored(log, Group, restore.File.Header.ClusterId, restore.File.Header.Index, peers[0].SnapshotIndex);
        return await database.ReadClusterAsync(cancellationToken)
            ?? throw new GroupStartException("The cluster that was just bootstrapped is not there.");
    }

    /// <summary>Null: it does not run here.</summary>
    internal PeerLoop? Find(PeerId peer) => _peers.GetValueOrDefault(peer);

    /// <summary>Makes and runs a peer that is about to be proposed as a member (rule 1).</summary>
    /// <param name="addition">Who asked for it; null: it is to take a lost peer's place.</param>
    internal async Task AddBlankPeerAsync(
        PeerId peer, Guid storageId, PeerAddition? addition, CancellationToken cancellationToken)
    {
        var snapshot = new ArrayBufferWriter<byte>();
        CoordinationState.CreateBlank(ClusterId, Group).WriteSnapshot(snapshot);
        await _database.AddPeerAsync(new PeerKey(Group, peer), storageId, snapshot.WrittenMemory, addition, cancellationToken);
        await RunPeerAsync(new PeerKey(Group, peer), cancellationToken);
        AttachPeers();
    }

    internal Task<IReadOnlyList<PeerAddition>> ReadAdditionsAsync(CancellationToken cancellationToken) =>
        _database.ReadAdditionsAsync(Group, cancellationToken);

    /// <summary>
    /// Who leads with a quorum and has applied all that it has committed: before that it might take a member that has
    /// just joined for none. Null: nobody, now.
    /// </summary>
    internal ReplicaStatus? SettledLeader() => Peers.Select(peer => peer.Status)
        .OrderByDescending(status => status.Term)
        .FirstOrDefault(status => status.IsReady && status.AppliedIndex >= status.CommitIndex);

    /// <summary>Stops a peer that is no member, and deletes what is stored of it.</summary>
    internal async Task RemovePeerAsync(PeerId peer, Decider decider, CancellationToken cancellationToken)
    {
        HostLog.PeerLeft(_log, peer.Value);
        // The rows go first: a peer that runs no longer would be forgotten with its rows left behind.
        if (!await _database.RemovePeerAsync(new PeerKey(Group, peer), decider, cancellationToken))
            return;
        if (!_peers.TryRemove(peer, out PeerLoop? loop))
            return;
        AttachPeers();
        await loop.DisposeAsync();
    }

    private async Task RunPeerAsync(PeerKey key, CancellationToken cancellationToken)
    {
        LoadedPeer loaded = await PeerActivation.ActivateAsync(
            key, _database, _options.SiloId, _options.ActivationTimeout, _time, _log, cancellationToken);
        _peers.TryAdd(key.Peer, new PeerLoop(
            PeerActivation.Seeded(_options.Replica), loaded, _database, _options.SiloId, Deliver, Gateway.SessionEnded,
            Gateway.LeadershipChanged, _time, _log));
    }

    private void AttachPeers() => Gateway.Attach([.. _peers.Values]);

    /// <summary>All peers are here and none has a leader: the one with the longest log need not wait for its time-out.</summary>
    private void BeginElection() => _peers.Values
        .MaxBy(peer => (peer.Status.Term, peer.Status.LastIndex, peer.Peer))
        ?.Post(new PeerInput.Campaign());

    /// <summary>In memory, so the only loss is a full inbox or a peer that is not there (yet).</summary>
    private void Deliver(Envelope envelope)
    {
        if (_peers.TryGetValue(envelope.To, out PeerLoop? peer))
            peer.TryPost(envelope);
    }
}

/// <summary>The group cannot start on what is stored.</summary>
public sealed class GroupStartException(string message) : Exception(message);
