using Coordinator.Contracts;
using Coordinator.Grains.Storage;
using Coordinator.Raft;
using Coordinator.Replica;
using Coordinator.Replica.State;
using Microsoft.Extensions.Logging;

namespace Coordinator.Grains;

/// <summary>
/// The part that knows other silos. What the links hear comes in by its methods, which never block.
/// </summary>
public sealed partial class SiloGroup
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CampaignTurn = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan CampaignJitterMax = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan ForeignTold = TimeSpan.FromMinutes(1);

    private readonly ClusterTransport? _transport;
    private readonly ClusterFounding? _founding;
    private readonly FactsTeller? _facts;
    private long _foreignToldAt;

    /// <summary>Of a silo of a cluster: opens the database, and makes it this silo's. Nothing runs yet.</summary>
    /// <exception cref="GroupStartException">The database is another's.</exception>
    /// <exception cref="DatabaseRefusedException">The database's settings, version or schema are refused.</exception>
    public static async Task<SiloGroup> OpenAsync(
        SiloGroupOptions options, ClusterTransport transport, TimeProvider time, ILoggerFactory logs,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(transport);
        ILogger log = logs.CreateLogger<SiloGroup>();
        PeerDatabase database = await PeerDatabase.OpenAsync(options.Database, time, logs, cancellationToken);
        var group = new SiloGroup(database, options, transport, time, log);
        try
        {
            await group._founding!.ClaimAsync(cancellationToken);
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// With the links begun: founds the cluster with the others, or finds it, and runs the peers that its database has. Ends
    /// as soon as they run, or it is certain that there are none; takes as long as it takes.
    /// </summary>
    /// <exception cref="GroupStartException">What is stored cannot be activated; the message says which and why.</exception>
    public async Task<Guid> JoinAsync(CancellationToken cancellationToken)
    {
        _facts!.Start();
        (ClusterId, IReadOnlyList<StoredPeer> peers) = await WithNoticeAsync(_founding!.SettleAsync(cancellationToken));
        Others!.ClusterId = ClusterId;
        _transport!.ClusterKnown(ClusterId);
        int needed = peers.Count == 0 ? 0 : Options.Silos.Count / 2;
        while (Others.Ids.Count(Others.IsUp) < needed)
        {
            Gateway.Notice = $"It waits for links with {needed} of the other {Others.Ids.Count} silos.";
            await Task.Delay(LookInterval, _time, cancellationToken);
        }
        Gateway.Notice = peers.Count == 0 ? "No peer of the group runs here." : null;
        await RunStoredAsync(peers, cancellationToken);
        return ClusterId;
    }

    /// <summary>A peer's message. One that comes from another silo than its peer's is dropped.</summary>
    public void Received(string silo, Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        if (envelope.Group != Group || Find(envelope.To) is not { } peer)
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
        Others!.Told(silo, facts);
        Gateway.LeadershipChanged();
    }

    public void LinkUp(string silo) => Gateway.LeadershipChanged();

    /// <summary>Who follows a leader there asks for votes at once, a little apart from the others who do (rule 26).</summary>
    public void LinkLost(string silo)
    {
        Others!.Lost(silo);
        Gateway.LeadershipChanged();
        foreach (PeerLoop peer in Peers)
        {
            if (peer.Status is not { Leader.IsNone: false } status || status.Leader == peer.Peer
                || status.Membership.Find(status.Leader)?.Silo != silo)
                continue;
            peer.Post(new PeerInput.ForgetLeader(status.Leader));
            if (status.Membership.ConfState.Voters.Contains(peer.Peer))
                _ = CampaignInTurnAsync(peer, CampaignTurn * TurnOf(status));
        }
    }

    /// <summary>Messages to that silo were dropped.</summary>
    public void Unreachable(string silo)
    {
        foreach (PeerLoop peer in Peers)
        {
            foreach (PeerRecord member in peer.Status.Membership.Peers)
            {
                if (member.Silo == silo)
                    peer.Post(new PeerInput.Unreachable(member.Id));
            }
        }
    }

    public void SnapshotFailed(Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        Find(envelope.From)?.Post(new PeerInput.SnapshotFailed(envelope.To));
    }

    /// <summary>Works on what another silo asks for.</summary>
    public async Task<ForwardedAnswer> AnswerAsync(ForwardedRequest request, CancellationToken abandoned)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.RequestCase switch
        {
            ForwardedRequest.RequestOneofCase.Bootstrap =>
                new ForwardedAnswer { Bootstrap = _founding!.Answer(), Last = true },
            ForwardedRequest.RequestOneofCase.MakePeer =>
                new ForwardedAnswer { PeerMade = await Maker.MakeForOtherAsync(request.MakePeer, _stopping.Token), Last = true },
            _ => await Gateway.AnswerForwardedAsync(request, abandoned),
        };
    }

    /// <summary>Hands leadership over, if it is here; to be called while the links are up (rule 26).</summary>
    public async Task HandOverAsync()
    {
        _facts!.TellStopping();
        if (Gateway.Leader() is not null)
            await HandOver(Options.HandOverTimeout).ToAsync(PeerId.None, CancellationToken.None);
    }

    // One after the other: two who ask at once share the votes, and nobody leads before another time-out has passed.
    private int TurnOf(ReplicaStatus status) => status.Membership.Peers.Count(other =>
        other.Id < status.Peer && other.Id != status.Leader
        && status.Membership.ConfState.Voters.Contains(other.Id) && Others!.IsUp(other.Silo));

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
            Gateway.Notice = _founding!.Waiting.Length > 0 ? _founding.Waiting : null;
            await Task.WhenAny(work, Task.Delay(LookInterval, _time));
        }
        return await work;
    }
}
