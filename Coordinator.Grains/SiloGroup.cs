using System.Collections.Concurrent;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.Storage;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// A group as this silo has it: the peers that are here, which come and go, and what is known of those on other silos.
/// The embedded host has all of them here and no other silos. Invariant: a peer runs only on an activation that has
/// committed (rule 2), and in a cluster only after most of the silos have taken this process for the silo that it says it
/// is, or the leader's, which asks for a new peer (rule 27).
/// </summary>
public sealed partial class SiloGroup : IPeerHost, IAsyncDisposable
{
    private readonly ConcurrentDictionary<PeerId, PeerLoop> _peers = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly SiloGroups _silo;
    private readonly ClusterTransport? _transport;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly PeerAdministrator _administrator;
    private readonly PeerKeeper _keeper;
    private readonly PeerMaker _maker;
    private volatile IReadOnlyList<PeerLoop> _listed = [];
    private long _version;

    internal SiloGroup(int group, SiloGroups silo, ClusterTransport? transport, TimeProvider time, ILogger log)
    {
        Group = group;
        _silo = silo;
        _transport = transport;
        _time = time;
        _log = log;
        if (transport is null)
        {
            Gateway = new GroupGateway(group, Options.LeaderTimeout, time);
        }
        else
        {
            Others = new OtherSilos(Options.SiloId, Options.Silos, group, transport);
            Gateway = new GroupGateway(group, Options.LeaderTimeout, time, Others);
        }
        Gateway.SavingTurn = silo.SavingTurn;
        Gateway.Durability = Durable;
        Gateway.Database = () => Storage.Health;
        _maker = new PeerMaker(new SiloPlace(this), log);
        _administrator = new PeerAdministrator(this, time, log);
        _keeper = new PeerKeeper(this, time, log);
        Gateway.Attach(_administrator.ExecuteAsync);
    }

    /// <summary>Its number.</summary>
    public int Group { get; }

    public GroupGateway Gateway { get; }

    internal Guid ClusterId => _silo.ClusterId;

    internal PeerDatabase Storage => _silo.Storage;

    internal SiloGroupOptions Options => _silo.Options;

    /// <summary>Null: the embedded host.</summary>
    internal ClusterFounding? Founding => _silo.Founding;

    /// <summary>Null: there are none, all peers are here.</summary>
    internal OtherSilos? Others { get; }

    internal IReadOnlyList<PeerLoop> Peers => _listed;

    /// <summary>Counts changes of what is known here, those within the peers apart.</summary>
    internal long Version => Interlocked.Read(ref _version);

    /// <summary>Whether all peers that the database has run here: a member of this silo's that does not is lost.</summary>
    internal bool AllRun => _silo.AllRun;

    /// <summary>Held by whoever changes which peers are here, or has the group change its members: one at a time.</summary>
    internal SemaphoreSlim Changing { get; } = new(1, 1);

    /// <summary>Stops the peers. Open requests end with what is known of them. Called once.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _keeper.DisposeAsync();
        await _administrator.DisposeAsync();
        await Gateway.DisposeAsync();
        await Task.WhenAll(_peers.Values.Select(peer => peer.DisposeAsync().AsTask()));
    }

    /// <summary>Null: it does not run here.</summary>
    internal PeerLoop? Find(PeerId peer) => _peers.GetValueOrDefault(peer);

    internal GroupPicture Picture() => GroupPicture.Of(Group, _listed, Others);

    internal LeadershipHandOver HandOver(TimeSpan limit) => new(Gateway, Picture, Others, limit, _time);

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
        var peer = new PeerLoop(
            isShared ? replica with { StorageBudgetElections = 0 } : replica, activated, Storage, Options.SiloId, Deliver,
            Gateway.SessionEnded, Gateway.LeadershipChanged, _time, _log)
        {
            Addition = addition?.StorageId == activated.Loaded.StorageId ? addition : null,
            TurnEnded = HasNews,
        };
        _peers.TryAdd(key.Peer, peer);
        AttachPeers();
        // Not before it is listed: a loss of the first one's silo is told to those who are.
        LeaveFirstElection(peer);
    }

    /// <summary>Takes over all that the database has of this group.</summary>
    internal async Task RunStoredAsync(
        IEnumerable<StoredPeer> stored, IEnumerable<PeerAddition> additions, CancellationToken cancellationToken)
    {
        foreach (StoredPeer peer in stored)
        {
            PeerAddition? addition = additions.FirstOrDefault(
                one => one.Key == peer.Key && one.StorageId == peer.StorageId);
            await RunPeerAsync(peer.Key, peer.StorageId, addition, cancellationToken);
        }
    }

    /// <summary>Looks after the peers, if there is anything to see. Called after news, by one at a time.</summary>
    /// <returns>Whether it is to be called again, news or none.</returns>
    internal bool Keep() => _keeper.Look();

    /// <summary>Says what a peer that runs was added for.</summary>
    internal void Describe(PeerLoop peer, PeerAddition addition)
    {
        peer.Addition = addition;
        Changed();
    }

    /// <summary>All peers are here and none has a leader: the one with the longest log need not wait for its time-out.</summary>
    internal void BeginElection() => Peers
        .MaxBy(peer => (peer.Status.Term, peer.Status.LastIndex, peer.Peer))
        ?.Post(new PeerInput.Campaign());

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
        _listed = [.. _peers.Values.OrderBy(peer => peer.Peer)];
        Changed();
        Gateway.Attach(_listed);
        _silo.TellNow();
    }

    private void Changed()
    {
        Interlocked.Increment(ref _version);
        HasNews();
    }

    private void HasNews() => _silo.HasNews(Group);

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
