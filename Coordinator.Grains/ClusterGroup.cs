using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// The group as a silo of a cluster has it: one peer here, the others on the other silos. What the links hear comes in by
/// its methods, which never block. Invariant: a peer runs only on an activation that has committed (rule 2), and only after
/// most of the silos have taken this process for the silo that it says it is (rule 27).
/// </summary>
public sealed class ClusterGroup : IAsyncDisposable
{
    private const int Group = 0;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CampaignTurn = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan CampaignJitterMax = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan ForeignTold = TimeSpan.FromMinutes(1);

    private readonly PeerDatabase _database;
    private readonly ClusterGroupOptions _options;
    private readonly ClusterTransport _transport;
    private readonly OtherSilos _others;
    private readonly ClusterFounding _founding;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly FactsTeller _facts;
    private volatile PeerLoop? _peer;
    private long _foreignToldAt;
    private int _disposed;

    private ClusterGroup(
        PeerDatabase database, ClusterGroupOptions options, ClusterTransport transport, TimeProvider time, ILogger log)
    {
        _database = database;
        _options = options;
        _transport = transport;
        _time = time;
        _log = log;
        _others = new OtherSilos(options.SiloId, options.Silos, Group, transport);
        _founding = new ClusterFounding(database, options, _others, time, log);
        _facts = new FactsTeller(Group, () => _peer?.Status, () => database.Health.System, transport.Tell, time);
        Gateway = new GroupGateway(Group, options.LeaderTimeout, time, _others)
        {
            Durability = Durable,
            Database = () => database.Health,
        };
        Gateway.Attach(new ClusterAdministrator(this, _others, options.LeaderTimeout, time).ExecuteAsync);
    }

    public GroupGateway Gateway { get; }

    /// <summary>The peer of this silo; null: it does not run, or there is none.</summary>
    internal PeerLoop? Peer => _peer;

    /// <summary>Opens the database, and makes it this silo's. Nothing runs yet.</summary>
    /// <exception cref="GroupStartException">The database is another's.</exception>
    /// <exception cref="DatabaseRefusedException">The database's settings, version or schema are refused.</exception>
    public static async Task<ClusterGroup> OpenAsync(
        ClusterGroupOptions options, ClusterTransport transport, TimeProvider time, ILoggerFactory logs,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ILogger log = logs.CreateLogger<ClusterGroup>();
        PeerDatabase database = await PeerDatabase.OpenAsync(options.Database, time, logs, cancellationToken);
        var group = new ClusterGroup(database, options, transport, time, log);
        try
        {
            await group._founding.ClaimAsync(cancellationToken);
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// With the links begun: founds the cluster with the others, or finds it, and runs the peer. Ends as soon as that runs,
    /// or it is certain that there is none here; takes as long as it takes.
    /// </summary>
    /// <exception cref="GroupStartException">What is stored cannot be activated; the message says which and why.</exception>
    public async Task<Guid> JoinAsync(CancellationToken cancellationToken)
    {
        _facts.Start();
        (Guid clusterId, StoredPeer? peer) = await WithNoticeAsync(_founding.SettleAsync(cancellationToken));
        _facts.ClusterId = clusterId;
        _transport.ClusterKnown(clusterId);
        if (peer is null)
        {
            Gateway.Notice = $"The database of silo {_options.SiloId} is not the one that its peer was stored in: that peer "
                + "is lost, and does not come back from an empty database, which has forgotten what the peer has promised. "
                + "This silo serves without one, through the others.";
            HostLog.PeerIsLost(_log, _options.SiloId);
            return clusterId;
        }
        int needed = _options.Silos.Count / 2;
        while (_others.Ids.Count(_others.IsUp) < needed)
        {
            Gateway.Notice = $"It waits for links with {needed} of the other {_others.Ids.Count} silos.";
            await Task.Delay(LookInterval, _time, cancellationToken);
        }
        ActivatedPeer activated = await PeerActivation.ActivateAsync(
            peer.Key, peer.StorageId, _database, _options.Witness, _options.SiloId, _options.ActivationTimeout, _time, _log, cancellationToken);
        _peer = new PeerLoop(
            PeerActivation.Seeded(_options.Replica), activated, _database, _options.SiloId, Deliver, Gateway.SessionEnded,
            Gateway.LeadershipChanged, _time, _log);
        Gateway.Notice = null;
        Gateway.Attach([_peer]);
        HostLog.Activated(_log, Group, 1);
        return clusterId;
    }

    /// <summary>A peer's message. One that comes from another silo than its peer's is dropped.</summary>
    public void Received(string silo, Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        if (envelope.Group != Group || _peer is not { } peer)
            return;
        // A peer that is not listed here is yet to be added, or has left: the replica knows which.
        if (peer.Status.Membership.Find(envelope.From) is { } sender && sender.Silo != silo)
        {
            long now = _time.GetTimestamp(), toldAt = Interlocked.Read(ref _foreignToldAt);
            if ((toldAt == 0 || _time.GetElapsedTime(toldAt, now) > ForeignTold)
                && Interlocked.CompareExchange(ref _foreignToldAt, now, toldAt) == toldAt)
                HostLog.ForeignEnvelope(_log, silo, envelope.From.Value, sender.Silo);
            return;
        }
        peer.TryPost(envelope);
    }

    public void FactsReceived(string silo, SiloFacts facts)
    {
        _others.Told(silo, facts);
        Gateway.LeadershipChanged();
    }

    public void LinkUp(string silo) => Gateway.LeadershipChanged();

    /// <summary>Who follows a leader there asks for votes at once, a little apart from the others who do (rule 26).</summary>
    public void LinkLost(string silo)
    {
        _others.Lost(silo);
        Gateway.LeadershipChanged();
        if (_peer is not { } peer || peer.Status is not { Leader.IsNone: false } status
            || status.Leader == peer.Peer || status.Membership.Find(status.Leader)?.Silo != silo)
            return;
        peer.Post(new PeerInput.ForgetLeader(status.Leader));
        _ = CampaignInTurnAsync(peer, CampaignTurn * TurnOf(status));
    }

    /// <summary>Messages to that silo were dropped.</summary>
    public void Unreachable(string silo)
    {
        if (_peer is not { } peer)
            return;
        foreach (PeerRecord member in peer.Status.Membership.Peers)
        {
            if (member.Silo == silo)
                peer.Post(new PeerInput.Unreachable(member.Id));
        }
    }

    public void SnapshotFailed(Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        _peer?.Post(new PeerInput.SnapshotFailed(envelope.To));
    }

    /// <summary>Works on what another silo asks for.</summary>
    public async Task<ForwardedAnswer> AnswerAsync(ForwardedRequest request, CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.RequestCase == ForwardedRequest.RequestOneofCase.Bootstrap
            ? new ForwardedAnswer { Bootstrap = _founding.Answer(), Last = true }
            : await Gateway.AnswerForwardedAsync(request, abandoned);
    }

    /// <summary>Hands leadership over, if it is here; to be called while the links are up (rule 26).</summary>
    public async Task HandOverAsync()
    {
        _facts.TellStopping();
        if (_peer is { } peer)
            await new LeadershipHandOver(peer, _others, Gateway).ToAnyAsync(_options.HandOverTimeout, _time);
    }

    /// <summary>Stops the peer, then lets go of the database.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        await _facts.DisposeAsync();
        await Gateway.DisposeAsync();
        if (_peer is { } peer)
            await peer.DisposeAsync();
        await _database.DisposeAsync();
    }

    private Durability? Durable() => _peer?.Status is not { } local ? null : Durability.Of(
        local.Membership.ConfState,
        voter => voter != local.Peer ? _others.ServerOf(voter)
            : local.Service == ServiceState.Running ? OtherSilos.NameOf(_database.Health.System)
            : null);

    private void Deliver(Envelope envelope)
    {
        if (_peer?.Status.Membership.Find(envelope.To) is { } to && to.Silo != _options.SiloId)
            _transport.Send(to.Silo, envelope);
    }

    // One after the other: two who ask at once share the votes, and nobody leads before another time-out has passed.
    private int TurnOf(ReplicaStatus status) => status.Membership.Peers.Count(other =>
        other.Id < status.Peer && other.Id != status.Leader
        && status.Membership.ConfState.Voters.Contains(other.Id) && _others.IsUp(other.Silo));

    private async Task CampaignInTurnAsync(PeerLoop peer, TimeSpan turn)
    {
        await Task.Delay(turn + (CampaignJitterMax * Random.Shared.NextDouble()), _time, _stopping.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stopping.IsCancellationRequested && peer.Status is { Role: RaftState.Follower, Leader.IsNone: true })
            peer.Post(new PeerInput.Campaign());
    }

    private async Task<T> WithNoticeAsync<T>(Task<T> work)
    {
        while (!work.IsCompleted)
        {
            Gateway.Notice = _founding.Waiting.Length > 0 ? _founding.Waiting : null;
            await Task.WhenAny(work, Task.Delay(LookInterval, _time));
        }
        return await work;
    }
}
